"""The JSON API under /api/v1: models for what it says, routes for how to ask."""
