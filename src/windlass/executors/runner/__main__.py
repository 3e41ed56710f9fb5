"""
`python -I -S __main__.py SOCKET ROOM`: the nursery of runners.

SOCKET is the number of the inherited descriptor on which the server asks for them;
ROOM is only there to be written over by each, with the folder of its job. Kept tiny,
for a script is compiled anew at every start, and a module is not.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rsplit("/", 4)[0])
    from windlass.executors.runner.nursery import serve

    serve(int(sys.argv[1]))
