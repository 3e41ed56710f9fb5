"""Code hosts to talk to in tests: they speak the public API of each, and can be made to fail."""
