"""
What runs in a bare repository: spool, pull requests, sender.

The hook starts a copy of this package with `python -I -S`, perhaps with an
older interpreter than ours, and a push must not wait for it. So it uses the
standard library alone, and as little of that as it can: nothing here may import
`typing`, `dataclasses`, `subprocess`, `pathlib` or `http` when it starts.
"""
