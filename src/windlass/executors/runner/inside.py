"""
A step as it is inside a sandbox: where it finds things, and how its program is told them.

Nothing that a repository says reaches the program that makes the sandbox by its environment
or by its command line: it works outside, and `LD_PRELOAD` or one word too many would be a way
out. Its words go by a file in memory, each as it is.
"""

from __future__ import annotations

import os

# Where the steps find what is theirs, which has the same names in the folder of their job.
JOB = "/job"
OWN = ("home", "tmp", "workspace", "output")
WORKSPACE, SCRIPT = f"{JOB}/workspace", f"{JOB}/script"
PLACES = {
    "HOME": f"{JOB}/home",
    "TMPDIR": f"{JOB}/tmp",
    "CI_WORKSPACE": WORKSPACE,
    "WINDLASS_OUTPUT": f"{JOB}/output",
}


def told(command: list[str], env: dict[str, str], place: str) -> int:
    """
    The descriptor of a file with a sandbox's words, for `--args`; the caller closes it.

    `command` without its first word, the variables of the step, and where it begins.
    Raises `ValueError` for a variable that cannot be one.
    """
    words = command[1:]
    for name, value in env.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"the variable {name!r} cannot be set")
        words += ["--setenv", name, value]
    words += ["--chdir", place]
    file = os.memfd_create("sandbox", os.MFD_CLOEXEC)
    data = b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words)
    while data:
        data = data[os.write(file, data) :]
    os.lseek(file, 0, os.SEEK_SET)
    return file
