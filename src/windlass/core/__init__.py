"""The rules of Windlass: pure functions over frozen data, without IO, clock or randomness."""
