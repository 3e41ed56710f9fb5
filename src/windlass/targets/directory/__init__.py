"""
A folder with releases and a link `current`: the target that needs nothing.

The link moves by one rename, so who looks sees the old release or the new one
and never a half. What went on is kept in `PATH/.windlass`, so that an apply
that was cut off is seen as unknown and not as success.
"""

from windlass.targets.directory.target import DirectoryTarget
from windlass.targets.directory.unpack import Quota

__all__ = ["DirectoryTarget", "Quota"]
