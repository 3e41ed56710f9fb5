"""
Outputs of a job: the lines `name=value` that its steps wrote to `$WINDLASS_OUTPUT`.
"""

from __future__ import annotations

import os
import stat

from windlass.core.redact import mask_text

LIMIT = 256 << 10


def read_outputs(path: str, secrets: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """The outputs, masked, a later one over an earlier one; and what was wrong with the file."""
    try:
        # A step may have put anything here: no links, and nothing that blocks.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}, []
    except OSError:
        return {}, ["$WINDLASS_OUTPUT is not a file, so there are no outputs"]
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return {}, ["$WINDLASS_OUTPUT is not a file, so there are no outputs"]
        data = b""
        while len(data) <= LIMIT and (part := os.read(file, LIMIT + 1)):
            data += part
    finally:
        os.close(file)
    if len(data) > LIMIT:
        return {}, [f"$WINDLASS_OUTPUT has more than {LIMIT >> 10} KiB, so there are no outputs"]
    return _parsed(mask_text(data.decode("utf-8", "replace"), secrets))


def _parsed(text: str) -> tuple[dict[str, str], list[str]]:
    outputs, complaints = {}, []
    for number, line in enumerate(text.split("\n"), 1):
        name, equals, value = line.rstrip("\r").partition("=")
        if equals and name and name.isascii() and name.replace("-", "_").isidentifier():
            outputs[name] = value
        elif line.strip():
            complaints.append(f"line {number} of $WINDLASS_OUTPUT is not name=value; left out")
    return outputs, complaints[:10]
