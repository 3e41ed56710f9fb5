"""
A whole configuration: what the file, or the files, of one commit say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.core.environment import Environment
from windlass.core.listener import Listener
from windlass.core.pipeline import Pipeline, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything a team wrote, by name, in the order it was written."""

    listeners: Mapping[str, Listener] = field(default_factory=dict)
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
