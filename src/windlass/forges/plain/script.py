"""
The `post-receive` hook that plain Git gets: plain POSIX sh, no program needed.

It writes what was pushed into the spool by builtins and one `mv`, starts the
sender with every descriptor closed, and is gone: Git waits for nothing else.
Only a push to `refs/for/` waits for Python, since its pull request exists when
`git push` returns. Whatever fails, the push does not.
"""

from __future__ import annotations

import shlex

MARK = "# windlass-hook 1"
KEPT = "post-receive.windlass-kept"

_SCRIPT = r"""#!/bin/sh
@MARK@
# Tells Windlass what was pushed. `windlass repo add` wrote it, `windlass repo remove` undoes it.
# A hook that stood here before is in hooks/@KEPT@ and is called at the end.

wl_lines=
wl_kept=
[ ! -x hooks/@KEPT@ ] || wl_kept=1
wl_path=$PATH
PATH=/usr/local/bin:/usr/bin:/bin

wl_spool() {
  wl_asks=
  wl_told=
  set -C
  # Nobody else has this name while we live, and -e tells of whoever had it before us.
  wl_turn=0
  wl_name=windlass/spool/$$.0
  while [ -e "$wl_name.push" ] || [ -e "$wl_name.new" ]; do
    wl_turn=$((wl_turn + 1))
    wl_name=windlass/spool/$$.$wl_turn
  done
  {
    wl_by=${GL_USER:-${REMOTE_USER:-}}
    case $wl_by in
      '' | *[!A-Za-z0-9._@+-]*) ;;
      *) printf 'by %s\n' "$wl_by" ;;
    esac
    case ${GIT_PUSH_OPTION_COUNT:-0} in
      [1-9] | [1-5][0-9]) wl_options ;;
    esac
    while read -r wl_old wl_new wl_ref; do
      [ -z "$wl_kept" ] || wl_lines="$wl_lines$wl_old $wl_new $wl_ref
"
      case $wl_ref in
        refs/heads/* | refs/tags/* | refs/pull/*) wl_told=1 ;;
        refs/for/*)
          wl_told=1
          wl_asks="$wl_asks$wl_old $wl_new $wl_ref
"
          ;;
        *) continue ;;
      esac
      printf 'ref %s %s %s\n' "$wl_old" "$wl_new" "$wl_ref"
    done
  } 2>/dev/null > "$wl_name.new" || return 1
  set +C
  if [ -z "$wl_told" ]; then rm -f "$wl_name.new"; return 0; fi
  mv "$wl_name.new" "$wl_name.push"
}

wl_options() {
  wl_n=0
  while [ "$wl_n" -lt "$GIT_PUSH_OPTION_COUNT" ]; do
    eval "wl_option=\${GIT_PUSH_OPTION_$wl_n:-}"
    printf 'option %s\n' "$wl_option"
    wl_n=$((wl_n + 1))
  done
}

wl_send() {
  for wl_python in @PYTHONS@; do
    if [ -x "$wl_python" ] && [ -d @PROGRAM@ ]; then
      if [ -n "$wl_asks" ]; then
        printf '%s' "$wl_asks" | "$wl_python" -I -S -X utf8 @PROGRAM@/start.py receive 1>&2 ||
          echo 'windlass: the pull request is kept, and opens when the server is back' >&2
      else
        echo @TOLD@ >&2
      fi
      "$wl_python" -I -S -X utf8 @PROGRAM@/start.py send </dev/null >/dev/null 2>&1 \
        3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
      return
    fi
  done
  echo 'windlass: kept, and sent when the server is back' >&2
}

if [ ! -d windlass/spool ]; then
  [ -z "$wl_kept" ] || PATH=$wl_path exec hooks/@KEPT@ "$@"
else
  [ -z "$wl_kept" ] || wl_before=$(umask)
  umask @UMASK@
  if wl_spool; then
    [ -z "$wl_told" ] || wl_send
  else
    echo 'windlass: not kept (no room or no right); the server finds it by itself later' >&2
    # What was not read yet is still owed to the hook that stood here before.
    while read -r wl_old wl_new wl_ref; do
      wl_lines="$wl_lines$wl_old $wl_new $wl_ref
"
    done
  fi
  set +C
  [ -z "$wl_kept" ] || umask "$wl_before"
fi

PATH=$wl_path
if [ -n "$wl_kept" ]; then
  printf '%s' "$wl_lines" | hooks/@KEPT@ "$@"
  exit $?
fi
exit 0
"""


def script(*, pythons: tuple[str, ...], program: str, origin: str, mode: int) -> str:
    """The hook's text; `program` is relative to the repository, `mode` that of its folders."""
    values = {
        "@MARK@": MARK,
        "@KEPT@": KEPT,
        "@PYTHONS@": " ".join(map(shlex.quote, pythons)),
        "@PROGRAM@": shlex.quote(program),
        "@TOLD@": shlex.quote(f"windlass: telling {origin}/events"),
        "@UMASK@": f"{~mode & 0o777:04o}",
    }
    text = _SCRIPT
    for name, value in values.items():
        text = text.replace(name, value)
    return text
