"""The reference page of the settings is the one that the code writes."""

from __future__ import annotations

import os
from pathlib import Path

from windlass.settings import reference
from windlass.settings.table import TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/settings.md"


def test_the_page_of_the_settings_is_up_to_date():
    """`WINDLASS_WRITE_DOCS=1 pytest tests/docs` writes it anew."""
    if os.environ.get("WINDLASS_WRITE_DOCS"):
        PAGE.write_text(reference(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_setting_is_on_the_page():
    """Its name, its flag, its variables and what it is for."""
    page = PAGE.read_text(encoding="utf-8")
    for setting in TABLE:
        for part in (
            f"## {setting.name}\n",
            setting.flag,
            f"`{setting.variable}_FILE`",
            setting.help,
        ):
            assert part in page, setting.name
