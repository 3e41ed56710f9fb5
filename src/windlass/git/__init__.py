"""Repositories on disk: mirrors, reads at a commit, checkouts, the state repository."""
