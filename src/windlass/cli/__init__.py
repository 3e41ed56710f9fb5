"""The `windlass` command. It speaks to a server by its API, and to no store."""
