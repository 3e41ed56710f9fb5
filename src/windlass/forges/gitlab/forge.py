"""
GitLab, the service and one's own, as a forge.

`url` is a project's web or clone address. Everything is done with one token of the scope
`api`; which role it needs is said in `docs/how-to/connect-gitlab.md`.
"""

from __future__ import annotations

from windlass.forges.gitlab.hooks import GitLabWebhooks
from windlass.forges.gitlab.projects import Projects
from windlass.forges.gitlab.reports import GitLabReports
from windlass.forges.gitlab.source import GitLabSource
from windlass.forges.http.client import Http, Tokens


class GitLabForge(GitLabWebhooks, GitLabReports, GitLabSource):
    """`Webhooks`, `Reports` and `Source` of GitLab."""

    def __init__(self, http: Http, tokens: Tokens) -> None:
        projects = Projects(http, tokens)
        GitLabWebhooks.__init__(self, projects)
        GitLabReports.__init__(self, projects)
        GitLabSource.__init__(self, projects)
