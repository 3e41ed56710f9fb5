"""
Plain Git as a forge: any bare repository on disk.

The state of a pull request lies in the repository, and hook, sender and this
adapter share the rules in `program/`. `url` is the path of the repository.
"""

from __future__ import annotations

import sys

from windlass.forges.plain.pull_requests import PlainPullRequests
from windlass.forges.plain.sending import PlainWebhooks
from windlass.forges.plain.source import PlainSource
from windlass.forges.plain.statuses import PlainReports


class PlainForge(PlainWebhooks, PlainReports, PlainSource, PlainPullRequests):
    """`Webhooks`, `Reports`, `Source` and `PullRequests` of bare repositories."""

    def __init__(self, python: str = sys.executable) -> None:
        super().__init__(python)
