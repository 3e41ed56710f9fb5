"""Gogs."""
