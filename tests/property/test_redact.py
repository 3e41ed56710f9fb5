"""What masking promises, whatever the secret, the text and the way it comes in pieces."""

from __future__ import annotations

import base64
import json
import subprocess
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from windlass.core.redact import SHORTEST, Masker, mask_text, too_short

PLAIN = st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters="*")
SECRETS = st.text(PLAIN, min_size=SHORTEST, max_size=40)
WIDE = st.text(
    st.characters(blacklist_characters="*\r\n", blacklist_categories=("Cs",)),
    min_size=SHORTEST,
    max_size=20,
)
# Nothing of this can stand in any shape of a secret of letters and digits.
NOISE = st.text("#| \n\r", max_size=40)


def forms(secret: str) -> list[str]:
    """The shapes a secret takes, made by others' functions."""
    raw = secret.encode()
    shapes = [
        secret,
        raw.hex(),
        raw.hex().upper(),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    ]
    for before in (b"u:", b"user:", b"me:"):
        # What stands beside the secret shares the first and the last character with it.
        whole = base64.b64encode(before + raw + b"@").decode()
        first = -(-len(before) * 8 // 6)
        shapes.append(whole[first : (len(before) + len(raw)) * 8 // 6])
    return [shape for shape in shapes if len(shape) >= SHORTEST]


def masked(secrets: tuple[str, ...], pieces: list[bytes]) -> bytes:
    """What a stream shows in the end."""
    masker = Masker(secrets)
    return b"".join([*map(masker.feed, pieces), masker.flush()])


@st.composite
def cut(draw, text: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@given(st.data(), SECRETS | WIDE, NOISE, NOISE)
def test_no_shape_of_a_secret_gets_through(data, secret, before, after):
    """Plain, base64 anywhere in a text, hex, quoted, escaped; in whatever pieces it comes."""
    for shape in forms(secret):
        pieces = data.draw(cut((before + shape + after).encode()))
        assert shape.encode() not in masked((secret,), pieces)
        assert shape not in mask_text(before + shape + after, (secret,))


@given(st.data(), st.lists(SECRETS, min_size=1, max_size=4), st.lists(NOISE, max_size=4))
def test_secrets_that_overlap_hide_each_other(data, secrets, noise):
    """Whatever is next to, within or across another one."""
    text = "".join(x for pair in zip(secrets, [*noise, *[""] * 4], strict=False) for x in pair)
    shown = masked(tuple(secrets), data.draw(cut(text.encode())))
    for secret in secrets:
        assert secret.encode() not in shown.replace(b"\n", b"").replace(b"\r", b"")


@given(st.data(), st.text("abcXYZ019", min_size=8, max_size=30))
def test_a_secret_broken_over_lines_is_masked(data, secret):
    """As base64 and fold wrap it; never more than three characters of its beginning are seen."""
    broken = data.draw(cut(secret.encode()))
    shown = masked((secret,), data.draw(cut(b"\n".join(broken) + b"\nend\n")))
    assert shown.endswith(b"\nend\n")
    kept = shown.removesuffix(b"\nend\n").replace(b"\n", b"").replace(b"*", b"")
    assert len(kept) <= 3
    assert secret.encode().startswith(kept)


@given(st.data(), st.text("abc123", min_size=SHORTEST, max_size=20), NOISE)
@example(None, "abcabcabcabc", "# | \n")
def test_what_is_no_secret_stays_as_it_is(data, secret, noise):
    """Byte for byte, line breaks included."""
    raw = noise.encode()
    pieces = [raw] if data is None else data.draw(cut(raw))
    assert masked((secret,), pieces) == raw
    assert mask_text(noise, (secret,)) == noise


@given(st.data(), st.lists(st.sampled_from("abcd"), max_size=60).map("".join))
def test_pieces_do_not_matter(data, text):
    """However a stream comes, the same characters are hidden."""
    secrets = ("abcd", "cdab", "bbbb", "dcbadcba")
    pieces = data.draw(cut(text.encode() + b"#"))
    shown, whole = masked(secrets, pieces), masked(secrets, [text.encode() + b"#"])
    assert shown.replace(b"*", b"") == whole.replace(b"*", b"")


@given(SECRETS, st.integers(1, 39))
def test_the_beginning_of_a_secret_is_never_let_out(secret, size):
    """Within a line nothing of it is seen until it is known not to be one."""
    start = secret[:size].encode()
    if start != secret.encode():
        assert Masker((secret,)).feed(b"# " + start) in {b"# ", b"#"}


def test_each_line_of_a_key_is_a_secret_of_its_own():
    """A part of a private key, indented or after a prompt, is as secret as the whole."""
    key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA75\nq8Zx0Yh4Hn2kQmVd1A\n}\n-----END KEY-----\n"
    shown = mask_text("  > q8Zx0Yh4Hn2kQmVd1A\n}\n", (key,))
    assert shown == "  > ***\n}\n"


def test_line_breaks_inside_a_masked_value_stay():
    """So the log has as many lines as the step printed."""
    assert mask_text("a\nfirst-l\nsecond\nb", ("first-l\nsecond",)) == "a\n***\n***\nb"


@pytest.mark.parametrize(("value", "short"), [("", False), ("abc", True), ("abcd", False)])
def test_a_short_value_is_not_masked_and_known_to_be_so(value, short):
    """Three characters hide nothing."""
    assert too_short(value) is short
    if short:
        assert mask_text("abcabc", (value,)) == "abcabc"


@pytest.mark.parametrize(
    "value", ["a\\tb-token", "x\\0101y-token", "c\\\\d-token", "stop-here\\cgone"]
)
def test_what_echo_makes_of_a_value_is_masked(value):
    """Many shells read backslashes in what they echo, also when it comes from a variable."""
    printed = subprocess.run(["sh", "-c", 'echo "$1"', "sh", value], stdout=subprocess.PIPE).stdout
    assert set(masked((value,), [b"# " + printed])) <= set(b"# *\n")


def test_half_a_surrogate_pair_is_no_reason_to_fail():
    """Text from JSON may hold one."""
    assert mask_text("\ud800 s3cret", ("s3cret",)).endswith("***")


def test_another_masker_shares_the_values_and_nothing_else():
    """Two streams of one step do not complete each other's secrets."""
    one = Masker(("s3cret-token",))
    two = one.another()
    assert one.feed(b"s3cret") == b""
    assert two.feed(b"-token\n") == b"-token\n"
    assert two.feed(b"s3cret-token\n") == b"***\n"
