"""
Every folder is a story: what is in the repository, what happens, and what comes of it.

`configuration.yaml` is `.windlass.yaml` on `main` (`files/` lies beside it), `delivery.yaml` the
story (tests/scenario/story.py), `expected.yaml` everything that can then be seen
(tests/scenario/seen.py). A key of `expected.yaml` that is absent means: nothing of the kind.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from harness import stage
from seen import seen
from story import Story

HERE = Path(__file__).parent
STORIES = sorted(path.parent for path in HERE.glob("*/expected.yaml"))


def written(folder: Path, place: Path) -> tuple[dict, dict[str, str]]:
    """The story of this folder, and the files it begins with."""
    read = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    files = {
        str(path.relative_to(folder / "files")): path.read_text(encoding="utf-8")
        for path in (folder / "files").rglob("*")
        if path.is_file()
    }
    if configuration := read.get("configuration.yaml", "").replace("FOLDER", str(place)):
        files[".windlass.yaml"] = configuration
    return yaml.safe_load(read["delivery.yaml"]), files


async def played(folder: Path, place: Path) -> dict[str, object]:
    """What is seen after the story of this folder."""
    story, files = written(folder, place)
    on = dict.fromkeys(story.get("stage", []), True)
    async with stage(place, {"app.txt": "one\n", **files}, **on) as here:
        playing = Story(here)
        await playing.play(story["story"])
        found: dict[str, object] = {**await seen(here)}
        found["refused"] = playing.refused
        found["files"] = {
            name: (place / name).read_text(encoding="utf-8") if (place / name).exists() else None
            for name in story.get("look at", [])
        }
        found["comments"] = {
            number: text
            for number in playing.pulls
            if (text := here.forge.comment_on(here.url, number))
        }
    return {key: value for key, value in found.items() if value}


def said(expected: object, found: object) -> object:
    """The comments cut down to the excerpts that are expected of them, where they are in there."""
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return found
    return {
        number: [one for one in expected.get(number, []) if one in text]
        for number, text in found.items()
        if number in expected
    }


@pytest.mark.parametrize("folder", STORIES, ids=lambda path: path.name)
def test_a_story_comes_out_as_it_is_written(folder, tmp_path):
    """Events, verdicts, runs, statuses, deployments, places and the state repository."""
    expected = yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8"))
    found = asyncio.run(asyncio.wait_for(played(folder, tmp_path), 60))
    found["comments"] = said(expected.get("comments"), found.get("comments"))
    expected.setdefault("comments", found["comments"])
    assert found == expected
