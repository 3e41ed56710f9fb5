"""Ways for a build to reach a place; each module implements the port `Target`."""
