"""
A pip for a machine that has none.

Debian ships Python without pip and without `ensurepip`. What is tried, in this
order: the pip or `ensurepip` of this Python; the pinned wheel from the index or
folder that this machine is set up to use; the system's own package of pip,
unpacked beside the environment and not installed. No index is named here, so
what is fetched comes from where the owner of the machine wants it to come from.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import html
import importlib.util
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

SECONDS = 60


def setting(name: str, env: Mapping[str, str] = os.environ) -> str:
    """What this machine's pip would use for `name` ("index-url", "cert"), or ""."""
    found = env.get("PIP_" + name.upper().replace("-", "_"), "")
    home = Path(env.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [home / "pip/pip.conf", Path.home() / ".pip/pip.conf", Path("/etc/pip.conf")]
    for file in [Path(env["PIP_CONFIG_FILE"])] if "PIP_CONFIG_FILE" in env else files:
        parser = configparser.RawConfigParser()
        parser.read(file)
        found = found or parser.get("global", name, fallback="")
    return found.strip()


def find(wanted: Path, scratch: Path) -> Path | None:
    """A folder or wheel to put on the path of Python so that `python -m pip` works, or None."""
    return of_this_python() or pinned(wanted, scratch) or of_the_system(scratch)


def of_this_python() -> Path | None:
    """The pip that this Python has, or that its `ensurepip` would install."""
    pip = importlib.util.find_spec("pip")
    if pip and pip.origin:
        return Path(pip.origin).parent.parent
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip is None or ensurepip.origin is None:
        return None
    # Debian keeps the wheel apart from ensurepip, and may have the one without the other.
    bundled = Path(ensurepip.origin).parent.glob("_bundled/pip-*.whl")
    return next(iter([*bundled, *system_wheels(Path("/"))]), None)


def pinned(wanted: Path, scratch: Path) -> Path | None:
    """The wheel that `wanted` pins, when a configured place has one with a pinned hash."""
    text = wanted.read_text()
    hashes = re.findall(r"sha256:(\w+)", text)
    for version in re.findall(r"^pip==(\S+)", text):
        wheel = scratch / f"pip-{version}-py3-none-any.whl"
        for content in offers(wheel.name):
            if hashlib.sha256(content).hexdigest() in hashes:
                wheel.write_bytes(content)
                return wheel
            print(f"The {wheel.name} on offer is not the pinned one; not used", flush=True)
    return None


def offers(wheel: str) -> Iterator[bytes]:
    """Every file of this name that the configured folders and index have."""
    for place in setting("find-links").split():
        if (Path(place) / wheel).is_file():
            yield (Path(place) / wheel).read_bytes()
    index = setting("index-url") or os.environ.get("UV_DEFAULT_INDEX", "")
    if not index:
        return
    try:
        page = f"{index.rstrip('/')}/pip/"
        for link in re.findall(r'href="([^"]+)"', get(page).decode()):
            if unquote(urlsplit(html.unescape(link)).path).endswith("/" + wheel):
                yield get(urljoin(page, html.unescape(link)))
    except (urllib.error.URLError, OSError, UnicodeDecodeError) as error:
        print(f"The configured index did not give a pip: {error}")


def get(url: str) -> bytes:
    """The body at `url`, with the certificate and the credential this machine is set up with."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    request = urllib.request.Request(bare)  # noqa: S310 - the owner of the machine set it
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header(
            "Authorization", "Basic " + base64.b64encode(pair.encode()).decode()
        )
    context = ssl.create_default_context(cafile=setting("cert") or None)
    with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:  # noqa: S310 - as above
        return bytes(answer.read())


def system_wheels(root: Path) -> list[Path]:
    """The wheels of pip that the system's packages have put under `root`."""
    return sorted(root.glob("usr/share/python-wheels/pip-*.whl"))


def of_the_system(scratch: Path) -> Path | None:
    """The pip of the system's package archive, whose signature apt checks; needs no root."""
    apt = shutil.which("apt-get")
    if apt is None or shutil.which("dpkg-deb") is None:
        return None
    print("No pip on this machine; unpacking the one of its package archive", flush=True)
    # Lists of our own, when the machine's are missing, so that nothing outside `scratch` changes.
    own = ["-o", f"Dir::State={scratch}/state", "-o", f"Dir::Cache={scratch}/cache"]
    download = ["download", "python3-pip-whl"]
    for attempt in ([download], [[*own, "update"], [*own, *download]]):
        for name in ("state/lists/partial", "cache/archives/partial"):
            (scratch / name).mkdir(parents=True, exist_ok=True)
        if all(quiet([apt, "-q", *words], scratch) for words in attempt):
            break
    for package in scratch.glob("python3-pip-whl_*.deb"):
        quiet(["dpkg-deb", "-x", str(package), str(scratch)], scratch)
    return next(iter(system_wheels(scratch)), None)


def quiet(command: list[str], folder: Path) -> bool:
    """Whether the command succeeds in `folder`; what it says is dropped."""
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
