"""
Gogs: what its API has, and in plain words what it has not.
"""

from __future__ import annotations

from windlass.forges.gogs.hooks import GogsWebhooks
from windlass.forges.gogs.reports import GogsReports
from windlass.forges.gogs.source import GogsSource


class GogsForge(GogsWebhooks, GogsReports, GogsSource):
    """`Webhooks`, `Reports` and `Source` of Gogs, as far as it has them."""
