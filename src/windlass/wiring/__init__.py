"""From settings to a running program: the only package that names adapters."""
