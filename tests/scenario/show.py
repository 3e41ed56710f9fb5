"""
Prints what is seen after a story, to be reviewed and kept as its `expected.yaml`.

    python tests/scenario/show.py tests/scenario/push_reaches_dev
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import yaml
from test_scenarios import played


def main() -> None:
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as place:
            found = asyncio.run(asyncio.wait_for(played(Path(name), Path(place)), 60))
        sys.stdout.write(yaml.safe_dump(found, sort_keys=True, width=300, allow_unicode=True))


if __name__ == "__main__":
    main()
