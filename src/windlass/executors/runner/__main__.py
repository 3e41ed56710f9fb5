"""
`python -I -S __main__.py FOLDER LOCK`: run the job of this folder.

LOCK is the number of the inherited descriptor that holds the folder's lock; the
work itself comes by standard input. Kept tiny, for a script is compiled anew at
every start, and a module is not.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rsplit("/", 4)[0])
    from windlass.executors.runner.begin import begin

    begin(sys.argv[1], int(sys.argv[2]))
