"""What the parts of the GitLab of the tests ask of the whole."""

from __future__ import annotations

from windlass.testing.servers.gitlab_state import Project, Row
from windlass.testing.servers.serving import Call, Server


class Asked(Server):
    """Who calls, about which project, and where all of it lives."""

    # The path that it lives under, such as `/gitlab`.
    prefix = ""

    @property
    def home(self) -> str:
        """Its address, with the path."""
        return self.url + self.prefix

    def opened(self, call: Call, least: int) -> Project:
        """The project of a call by somebody with this role; `Refused` otherwise."""
        raise NotImplementedError

    def user_of(self, call: Call) -> Row:
        """Who calls; `Refused` without a token."""
        raise NotImplementedError
