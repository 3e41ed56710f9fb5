"""
Gitea and Forgejo, and what runs on them: Codeberg, for one.

Each repository is asked for with the token that was stored for it. Whoever makes that token
administers the repository, for only so may a webhook be set up, and others' rights be asked.
"""

from __future__ import annotations

from windlass.forges.gitea.hooks import GiteaWebhooks
from windlass.forges.gitea.reports import GiteaReports
from windlass.forges.gitea.source import GiteaSource


class GiteaForge(GiteaWebhooks, GiteaReports, GiteaSource):
    """`Webhooks`, `Reports` and `Source` of Gitea and Forgejo."""
