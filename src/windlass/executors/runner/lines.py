r"""
Bytes of a program -> lines of a log.

A line of the log is `MILLISECONDS STEP STREAM TEXT\n`. Text is UTF-8 whatever
came in; what a carriage return has overwritten is gone, as it is on a terminal;
a line beyond `LONGEST` is cut into pieces. Whole blocks of lines are treated at
once, for a step may print a gigabyte.
"""

from __future__ import annotations

LONGEST = 64 << 10
NUL = "\u2400".encode()


class Lines:
    """Cuts one stream of one step into lines."""

    __slots__ = ("_label", "_rest", "_torn", "cut")

    def __init__(self, step: int, stream: str) -> None:
        self._label = f" {step} {stream} ".encode()
        self._rest = b""
        self._torn = False
        self.cut = False

    @property
    def pending(self) -> bool:
        """Whether there is a line without an end yet."""
        return bool(self._rest)

    def feed(self, data: bytes, millis: int) -> bytes:
        """The lines of the log that are complete now."""
        if self._torn and data:
            # The line was written out before its end came; the end alone is no line.
            data = data.removeprefix(b"\r").removeprefix(b"\n")
            self._torn = False
        data = self._rest + data
        end = data.rfind(b"\n")
        self._rest = data[end + 1 :]
        if b"\r" in self._rest:
            # A progress bar: keep what it shows now, not all that it ever showed.
            self._rest = _shown(self._rest) + (b"\r" if self._rest.endswith(b"\r") else b"")
        out = self._format(data[:end], millis) if end >= 0 else b""
        while len(self._rest) > LONGEST:
            end = _whole_characters(self._rest, LONGEST)
            out += self._format(self._rest[:end], millis)
            self._rest = self._rest[end:]
            self.cut = True
        return out

    def flush(self, millis: int) -> bytes:
        """The unfinished line, as a line."""
        rest, self._rest = self._rest, b""
        self._torn = bool(rest)
        return self._format(rest, millis) if rest else b""

    def _format(self, block: bytes, millis: int) -> bytes:
        """Lines joined by line breaks, without the last one -> lines of the log."""
        if len(block) > LONGEST and not _short_enough(block):
            self.cut = True
            block = b"\n".join(piece for line in block.split(b"\n") for piece in _pieces(line))
        if b"\r" in block:
            block = b"\n".join(map(_shown, block.split(b"\n")))
        if b"\0" in block:
            block = block.replace(b"\0", NUL)
        if not block.isascii():
            block = block.decode("utf-8", "replace").encode()
        head = str(millis).encode() + self._label
        return b"".join((head, block.replace(b"\n", b"\n" + head), b"\n"))


def _shown(line: bytes) -> bytes:
    """What a terminal shows of a line with carriage returns."""
    line = line.rstrip(b"\r")
    return line[line.rfind(b"\r") + 1 :]


def _short_enough(block: bytes) -> bool:
    """Whether no line of the block is longer than LONGEST."""
    at = 0
    while len(block) - at > LONGEST:
        end = block.rfind(b"\n", at, at + LONGEST + 1)
        if end < 0:
            return False
        at = end + 1
    return True


def _pieces(line: bytes) -> list[bytes]:
    pieces = []
    while len(line) > LONGEST:
        end = _whole_characters(line, LONGEST)
        pieces.append(line[:end])
        line = line[end:]
    return [*pieces, line]


def _whole_characters(line: bytes, end: int) -> int:
    """The last place up to `end` where a UTF-8 character begins."""
    for back in range(4):
        if line[end - back] & 0xC0 != 0x80:
            return end - back
    return end
