"""Commands that need no server, and those that are one."""
