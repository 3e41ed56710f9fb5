# Sourced by ./try and ./check: sets $python to a Python that can run Windlass, or says what to install.
# Shell alone, without other programs. Why a search: on a machine whose python3 is too old, python3.12 often stands beside it.

seen=
python=
for candidate in ${WINDLASS_PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
  # A stray .python-version or a shim of a version that is not there fails here, and is passed over.
  version=$("$candidate" -E -s -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue
  seen="$seen $candidate $version,"
  if "$candidate" -E -s -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done

if [ -z "$python" ]; then
  if [ -z "$seen" ]; then seen=" none"; else seen=${seen%,}; fi
  printf '%s\n' >&2 "Windlass needs Python 3.11 or newer. Found:$seen." \
    "On Debian 12 or Ubuntu 24.04 and later:  sudo apt install python3" \
    "If one is somewhere else:                WINDLASS_PYTHON=/path/to/python3 $0"
  exit 1
fi

if ! "$python" -E -s -c 'import ssl, venv, zlib' 2>/dev/null; then
  printf '%s\n' >&2 "Windlass needs the whole standard library of Python; $python has only a part of it." \
    "On Debian or Ubuntu:  sudo apt install python3 python3-venv"
  exit 1
fi
