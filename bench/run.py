"""
All benchmarks, in one go, in one table.

    python bench/run.py            every part
    python bench/run.py deliveries verdicts     these parts

A part is a file beside this one that has `measure() -> list[Row]`. Each runs in a
process of its own, one after the other, so that none disturbs the next. Read the
ratios first: machines differ, and the same machine differs from hour to hour.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from table import Row, markdown  # noqa: E402 - the folder is no package


def parts() -> tuple[str, ...]:
    """Files here that measure something."""
    return tuple(
        sorted(
            path.stem
            for path in FOLDER.glob("*.py")
            if "\ndef measure(" in path.read_text(encoding="utf-8")
        )
    )


def measured(part: str) -> list[Row]:
    """One part's rows, from a process of its own; a part that fails says so in its row."""
    command = [sys.executable, __file__, "--one", part]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return [Row(id="?", what=f"{part} failed", value=0, unit="", met=False)]
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def main(words: list[str]) -> int:
    """Run the named parts, or all; 1 when a target is missed."""
    if words[:1] == ["--one"]:
        rows = importlib.import_module(words[1]).measure()
        print(json.dumps([asdict(row) for row in rows]))
        return 0
    if unknown := sorted(set(words) - set(parts())):
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(parts())}")
    found: list[Row] = []
    for part in words or parts():
        print(f"{part} ...", file=sys.stderr)
        found += measured(part)
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}\n")
    print(markdown(found))
    return int(any(row.met is False for row in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
