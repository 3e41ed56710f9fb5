"""
Which repository is meant where nobody says it: the only one that is connected.
"""

from __future__ import annotations

from windlass.cli.answers import Listed, Repository
from windlass.cli.connection import Api
from windlass.cli.exits import Exit, Failure

NONE = "No repository yet: windlass repo add URL"


def connected(api: Api) -> list[str]:
    """The names of the repositories that are connected now."""
    every = Api(api.url, api.token).get(Listed[Repository], "/repositories").items
    return [one.name for one in every if one.active]


def only(api: Api) -> str:
    """The one repository that there is; a `Failure` when there are several, or none."""
    found = connected(api)
    if len(found) == 1:
        return found[0]
    names = ", ".join(found)
    raise Failure(
        f"There are several repositories: {names}." if found else "No repository is connected.",
        next_step="say which one: --repository NAME" if found else "windlass repo add URL",
        code=Exit.USAGE if found else Exit.NOT_FOUND,
    )
