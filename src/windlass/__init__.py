"""Windlass turns what happens in a Git repository into builds, checks and deployments."""
