"""
GitHub, as GitHub.com and as GitHub Enterprise Server.

`url` is the address of the repository, for people or for Git. With an App that is
installed for it, the App speaks; else the token that a person stored.
"""

from __future__ import annotations

from windlass.forges.github.access import Access, Apps
from windlass.forges.github.missed import GitHubWebhooks
from windlass.forges.github.reports import GitHubReports
from windlass.forges.github.source import GitHubSource
from windlass.forges.http.client import Http, Tokens
from windlass.ports.target import Clock


class GitHubForge(GitHubWebhooks, GitHubReports, GitHubSource):
    """`Webhooks`, `Reports` and `Source` of repositories on GitHub."""

    def __init__(self, http: Http, tokens: Tokens, apps: Apps, clock: Clock) -> None:
        access = Access(http, tokens, apps, clock)
        GitHubWebhooks.__init__(self, access, clock)
        GitHubReports.__init__(self, access)
        GitHubSource.__init__(self, access)
