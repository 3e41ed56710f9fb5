r"""
Keeps secret values out of text.

A value is looked for plain and in the shapes it takes by accident: base64 at
all three alignments, hex, URL-quoted, JSON-escaped, shell-quoted, echoed. Line
breaks do not count, so a value that `base64` or `fold` has wrapped is found as
well, and each longer line of a value of several lines is a value of its own.
A text that was reversed or enciphered on purpose is beyond any masking.

A `Masker` works on a stream and never lets out what may be the beginning of a
value, save for at most three characters at the end of a line. The runner
imports this module in a bare interpreter, where every import costs a job its
first milliseconds: it may import next to nothing.

>>> mask_text("Bearer s3cret-token", ("s3cret-token",))
'Bearer ***'
>>> masker = Masker(("s3cret-token",))
>>> masker.feed(b"key s3cr"), masker.feed(b"et-token\n"), masker.flush()
(b'key ', b'***\n', b'')
"""

from __future__ import annotations

from binascii import b2a_base64, hexlify
from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# A shorter value would turn half the log into stars and hide nothing.
SHORTEST = 4
# The lines of a value of several lines are often `{` or `}`; those tell nothing.
SHORTEST_LINE = 8
# So many characters before a line break are let out while they may begin a value, for else
# the last line of a quiet step would often be held back. The rest of the value is masked.
PEEK = 3

STARS = b"***"
_BREAKS = b"\r\n"
_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_SHORT_ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_BACKSLASH = 92
_ECHO_ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b"\\": b"\\",
    b"e": b"\x1b",
    b"c": b"",
    b"0": b"",
}

Span = tuple[int, int]


def seen_by(secrets: Mapping[str, str], step: int) -> dict[str, str]:
    """
    The secrets that a step may read: those of the job, and those named `STEP:NAME` for it.

    >>> seen_by({"TOKEN": "a", "1:KEY": "b", "2:KEY": "c"}, 1)
    {'TOKEN': 'a', 'KEY': 'b'}
    """
    shared = {name: value for name, value in secrets.items() if ":" not in name}
    own = f"{step}:"
    return shared | {
        name[len(own) :]: value for name, value in secrets.items() if name.startswith(own)
    }


def too_short(value: str) -> bool:
    """Whether a secret is too short to be masked (a person should be told)."""
    return 0 < len(_solid(_bytes(value))) < SHORTEST


def mask_text(text: str, values: tuple[str, ...]) -> str:
    """A whole text with every value in it replaced by stars."""
    raw = _bytes(text)
    spans = _find(_solid(raw), _needles(values))
    return _render(raw, spans, 0).decode("utf-8", "surrogateescape") if spans else text


class Masker:
    """Masks one stream of bytes, in pieces as they come; `another` is for the next stream."""

    __slots__ = ("_held", "_needles", "_seen")

    def __init__(self, values: tuple[str, ...]) -> None:
        self._needles = _needles(values)
        self._seen = b""  # let out already, and perhaps the beginning of a value
        self._held = b""  # not let out yet

    def another(self) -> Masker:
        """A masker of the same values for another stream; cheap."""
        new = Masker(())
        new._needles = self._needles
        return new

    def feed(self, data: bytes) -> bytes:
        """What of the stream may be shown now that `data` has come."""
        if not self._needles:
            return data
        raw = self._held + data
        text = self._seen + _solid(raw)
        before = len(self._seen)
        spans = _find(text, self._needles)
        cut = _beginning(text, self._needles)
        stop = max(cut, before)
        for start, end in spans:
            if start < stop < end:
                stop = end
        if raw.endswith(b"\n") and self._harmless(text[cut:]):
            stop = len(text)
        shown = _raw_end(raw, len(text) - stop)
        self._seen, self._held = text[cut:stop], raw[shown:]
        return _render(raw[:shown], spans, before) if spans else raw[:shown]

    def flush(self) -> bytes:
        """The rest at the end of the stream; the beginning of a value is masked there too."""
        held, self._held, self._seen = self._held, b"", b""
        size = len(_solid(held))
        return _render(held, [(0, size)], 0) if size >= SHORTEST else held

    def _harmless(self, rest: bytes) -> bool:
        """Whether so little of a value may be let out at the end of a line."""
        return len(rest) <= PEEK and not any(
            len(needle) <= 2 * len(rest) and needle.startswith(rest) for needle in self._needles
        )


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which no bytes stand for
        return text.encode("utf-8", "replace")


def _solid(raw: bytes) -> bytes:
    """The bytes without line breaks."""
    text = raw.replace(b"\n", b"")
    return text.replace(b"\r", b"") if b"\r" in text else text


def _needles(values: tuple[str, ...]) -> tuple[bytes, ...]:
    """Everything to look for, the longest first, none twice."""
    found: dict[bytes, None] = {}
    for value in values:
        if len(_solid(_bytes(value))) < SHORTEST:
            continue
        for form in _forms(value):
            found[_solid(form)] = None
        lines = value.split("\n")
        if len(lines) > 1:
            for line in map(str.strip, lines):
                if len(line) >= SHORTEST_LINE:
                    found[_bytes(line)] = None
    return tuple(sorted((x for x in found if len(x) >= SHORTEST), key=len, reverse=True))


def _forms(value: str) -> list[bytes]:
    raw = _bytes(value)
    forms = [raw, raw.strip(), raw.replace(b"'", b"'\\''"), hexlify(raw), hexlify(raw).upper()]
    for shift in range(3):
        # The first and the last character also hold bits of the neighbours.
        piece = b2a_base64(b"\0" * shift + raw, newline=False)
        piece = piece[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6]
        forms += [piece, piece.replace(b"+", b"-").replace(b"/", b"_")]
    forms.append(b2a_base64(raw, newline=False))
    for safe in (b"", b"/", b"!'()*", b"/:@!$&'()*+,;="):
        quoted = _url_quoted(raw, _UNRESERVED + safe, "%02X")
        forms += [quoted, quoted.replace(b"%20", b"+")]
        forms.append(_url_quoted(raw, _UNRESERVED + safe, "%02x"))
    forms.append(_echoed(raw))
    for kept in (127, 128, 0x110000):
        escaped = _json_escaped(value, kept)
        forms += [_bytes(escaped), _bytes(escaped.replace("/", "\\/"))]
    return forms


def _url_quoted(raw: bytes, safe: bytes, digits: str) -> bytes:
    return "".join(chr(x) if x in safe else "%" + digits % x for x in raw).encode("ascii")


def _echoed(raw: bytes) -> bytes:
    r"""As `echo` of many shells prints it, which reads `\t` and the like in a value."""
    out = bytearray()
    at = 0
    while at < len(raw):
        follows = raw[at + 1 : at + 2]
        if raw[at] != _BACKSLASH or follows not in _ECHO_ESCAPES:
            out.append(raw[at])
            at += 1
        elif follows == b"c":  # prints nothing more
            break
        elif follows == b"0":
            digits = raw[at + 2 : at + 5]
            size = next((n for n, x in enumerate(digits) if x not in b"01234567"), len(digits))
            out.append(int(digits[:size] or b"0", 8) & 0xFF)
            at += 2 + size
        else:
            out += _ECHO_ESCAPES[follows]
            at += 2
    return bytes(out)


def _json_escaped(text: str, kept: int) -> str:
    r"""As the inside of a JSON string; characters from number `kept` on as \uXXXX."""
    out = []
    for char in text:
        code = ord(char)
        if code in _SHORT_ESCAPES:
            out.append(_SHORT_ESCAPES[code])
        elif 32 <= code < kept:
            out.append(char)
        elif code < 0x10000:
            out.append(f"\\u{code:04x}")
        else:
            high, low = divmod(code - 0x10000, 0x400)
            out.append(f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}")
    return "".join(out)


def _find(text: bytes, needles: tuple[bytes, ...]) -> list[Span]:
    """Where a value stands, as spans that neither overlap nor touch, in order."""
    found: list[Span] = []
    for needle in needles:
        at = text.find(needle)
        end = -1
        while at >= 0:
            # A value that overlaps itself makes one span, however long.
            if at <= end:
                found[-1] = (found[-1][0], at + len(needle))
            else:
                found.append((at, at + len(needle)))
            end = at + len(needle)
            at = text.find(needle, at + 1)
    return _merged(found) if len(found) > 1 else found


def _merged(spans: list[Span]) -> list[Span]:
    spans.sort()
    merged = [spans[0]]
    for start, end in spans[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _beginning(text: bytes, needles: tuple[bytes, ...]) -> int:
    """Where the longest end of `text` starts that may be the beginning of a value."""
    best = len(text)
    for needle in needles:
        at = text.find(needle[:1], max(0, len(text) - len(needle) + 1), best)
        while at >= 0:
            if needle.startswith(text[at:]):
                best = at
                break
            at = text.find(needle[:1], at + 1, best)
    return best


def _raw_end(raw: bytes, rest: int) -> int:
    """Where in `raw` its last `rest` bytes begin, line breaks not counted."""
    at = len(raw)
    while rest:
        at -= 1
        rest -= raw[at] not in _BREAKS
    return at


def _render(raw: bytes, spans: list[Span], before: int) -> bytes:
    """`raw` with the spans (counted without line breaks, from `before` ahead of it) masked."""
    starts, places = _segments(raw)
    size = len(_solid(raw))
    out: list[bytes] = []
    done = 0
    for first, last in spans:
        start, end = max(0, first - before), min(size, last - before)
        if start >= end:
            continue
        segment = bisect_right(starts, start) - 1
        begin = places[segment] + start - starts[segment]
        segment = bisect_right(starts, end - 1) - 1
        finish = places[segment] + end - starts[segment]
        inner = raw[begin:finish].replace(b"\r", b"").split(b"\n")
        out += [raw[done:begin], b"\n".join(STARS if part else b"" for part in inner)]
        done = finish
    out.append(raw[done:])
    return b"".join(out)


def _segments(raw: bytes) -> tuple[list[int], list[int]]:
    """Of each stretch without line breaks: its place without and with line breaks counted."""
    starts, places = [], []
    text = at = 0
    for line in raw.split(b"\n"):
        for part in line.split(b"\r"):
            starts.append(text)
            places.append(at)
            text += len(part)
            at += len(part) + 1
    return starts, places
