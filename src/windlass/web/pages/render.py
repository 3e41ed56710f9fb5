"""
The templates, and the few words they may use beyond their own.

Escaping is always on; a filter that makes markup returns `Markup` and says why it may.
Times are shown as a distance with the full time at hand (`title`), and the page's own
script turns both into the viewer's zone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from windlass.core.nearest import near
from windlass.core.parameters import text_of
from windlass.core.policy import told
from windlass.ports.records import Delivery
from windlass.web.api.models.events import body_text
from windlass.web.api.models.repositories import without_credentials
from windlass.web.pages import links
from windlass.web.pages.graph import draw
from windlass.web.views.jobs import steps_of
from windlass.web.views.listeners import condition_texts, on_text

HERE = Path(__file__).parent.parent
# In a sentence: a condition or a value as written, an arrow, a run or an event by its number.
SAID = re.compile(
    r"`(?P<code>[^`]+)`|(?P<arrow> -> )|\b(?P<kind>run|event) (?P<number>\d{1,18})\b", re.IGNORECASE
)
UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def iso(seconds: float) -> str:
    """A time (UTC seconds) in ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def distance(seconds: float) -> str:
    """
    A stretch of time, in its largest unit.

    >>> distance(200), distance(7300), distance(0.4)
    ('3 min', '2 h', '0 s')
    """
    for size, unit in UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def lasted(start: float | None, end: float | None, now: float) -> str:
    """
    How long something took, or takes so far.

    >>> lasted(10.0, 85.0, 0.0), lasted(10.0, 14.0, 0.0), lasted(None, None, 0.0)
    ('1 min 15 s', '4.0 s', '')
    """
    if start is None:
        return ""
    took = max(0.0, (now if end is None else end) - start)
    if took < 10:
        return f"{took:.1f} s"
    seconds = int(took)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def ago(seconds: float, now: float) -> Markup:
    """A time as a distance, with the full time behind it."""
    full = iso(seconds)
    text = "just now" if now - seconds < 1 else f"{distance(now - seconds)} ago"
    return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(full, full, text)


def moment(seconds: float) -> Markup:
    """
    A time of day that lies ahead, with the full time behind it.

    >>> str(moment(1_800_000_000.0))
    '<time datetime="2027-01-15T08:00:00Z" title="2027-01-15T08:00:00Z">08:00:00 UTC</time>'
    """
    full = iso(seconds)
    return Markup('<time datetime="{}" title="{}">{} UTC</time>').format(full, full, full[11:19])


def short(text: str) -> str:
    """
    A commit or digest, short enough to read.

    >>> short("sha256:0123456789abcdef"), short("0123456789abcdef")
    ('0123456789ab', '01234567')
    """
    if text.startswith("sha256:"):
        return text[7:19]
    return text[:8]


def size(count: float) -> str:
    """
    A number of bytes.

    >>> size(900), size(482_113)
    ('900 B', '471 KiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}"
        count /= 1024
    return ""  # pragma: no cover


def pretty(delivery: Delivery) -> str:
    """The body of a delivery, indented when it is JSON."""
    text = body_text(delivery)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def words(state: str) -> str:
    """
    A state as people read it.

    >>> words("worker_lost")
    'worker lost'
    """
    return "needs approval" if state == "approval" else state.replace("_", " ")


def listed(items: Iterable[object]) -> Markup:
    """Items with commas between."""
    return Markup(", ").join(escape(item) for item in items)


def nested(lines: Sequence[str], path: str = "") -> Markup:
    """
    Sentences as a list: what belongs to another, by the spaces before it, stands below it.

    Its text is that of the lines, letter by letter; what only a copy needs is not seen. `path` is
    the address of the page, to which no link leads.

    >>> str(nested(["Run 7.", "  <b>: x"])).replace(' href="/runs/7"', "")
    '<ul><li><p><a>Run 7</a>.</p><ul><li><p>  &lt;b&gt;: x</p></li></ul></li></ul>'
    """
    made, depth = [], -1
    for line in lines:
        wanted = min(depth + 1, (len(line) - len(line.lstrip(" "))) // 2)
        made.append("<ul>" if wanted > depth else "</li></ul>" * (depth - wanted) + "</li>")
        made.append(f"<li><p>{marked(line, path)}</p>")
        depth = wanted
    return Markup("".join(made) + "</li></ul>" * (depth + 1))  # noqa: S704  # escaped in marked


def marked(line: str, path: str = "") -> Markup:
    """One sentence with its code and its links; everything else is escaped."""
    made, at = Markup(), 0
    for found in SAID.finditer(line):
        made += escape(line[at : found.start()])
        if found["code"]:
            tick = Markup('<span class="unseen" aria-hidden="true">`</span>')
            made += tick + Markup("<code>{}</code>").format(found["code"]) + tick
        elif found["arrow"]:
            made += Markup(' <span class="nowrap">-&gt;</span> ')
        else:
            href = f"/{found['kind'].lower()}s/{found['number']}"
            link = Markup('<a href="{}">{}</a>').format(href, found[0])
            made += escape(found[0]) if href == path else link
        at = found.end()
    return made + escape(line[at:])


def place_url(repository: str, environment: str, service: str) -> str:
    """The address of a place's page."""
    return "/places/" + quote(f"{repository}/at/{environment}/of/{service}")


def static_url(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    found = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={found}"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        ago=ago,
        iso=iso,
        moment=moment,
        short=short,
        size=size,
        pretty=pretty,
        words=words,
        listed=listed,
        marked=marked,
        nested=nested,
        without_credentials=without_credentials,
        policy=told,
    )
    made.globals.update(
        commit_url=links.commit,
        compare_url=links.compare,
        file_url=links.file,
        pull_url=links.pull,
        draw=draw,
        lasted=lasted,
        near=near,
        condition_texts=condition_texts,
        on_text=on_text,
        text_of=text_of,
        new_token=lambda: token_urlsafe(16),
        place_url=place_url,
        static_url=static_url,
        steps_of=steps_of,
    )
    return made


TEMPLATES = _environment()
