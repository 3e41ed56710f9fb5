#!/bin/sh
# Ends the shop that runs in this environment and starts the one beside this script.
# It is called in the folder of the new release; when it ends, the new shop listens.
set -eu
dist=$(cd "$(dirname "$0")" && pwd -P)
home=$(cd "$dist/../../.." && pwd -P) # ENVIRONMENT/releases/RELEASE/dist
note=$home/shop.pid

runs() { # whether this process is a shop; a number may have gone to another program since
  [ -n "$1" ] && grep -q shop.py "/proc/$1/cmdline" 2>/dev/null
}

old=$(cat "$note" 2>/dev/null || true)
if runs "$old"; then
  kill "$old"
  while runs "$old"; do sleep 0.02; done
fi
rm -f "$note"

setsid @PYTHON@ -B "$dist/shop.py" "$note" </dev/null >>"$home/shop.log" 2>&1 &
new=$!
while [ ! -s "$note" ]; do
  kill -0 "$new" 2>/dev/null || { tail -n 20 "$home/shop.log" >&2; exit 1; }
  sleep 0.02
done
