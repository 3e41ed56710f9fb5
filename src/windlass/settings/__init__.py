"""
What the operator sets: one frozen object, and where each value came from.

Flags count before `WINDLASS_X`, that before `WINDLASS_X_FILE`, that before
`windlass.toml`, that before the default. Nobody below reads a setting: `wiring`
hands the values in.
"""

from windlass.settings.page import Row, describe, reference
from windlass.settings.reading import read
from windlass.settings.shapes import Address
from windlass.settings.sources import Host
from windlass.settings.table import LogFormat, LogLevel, Settings

__all__ = [
    "Address",
    "Host",
    "LogFormat",
    "LogLevel",
    "Row",
    "Settings",
    "describe",
    "read",
    "reference",
]
