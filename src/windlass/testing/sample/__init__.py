"""
A small company as the store holds it: for the tests of pages and commands, and for pictures.

`fill` tells one story: a shop with two services on the way from dev to production,
a run that failed, one that goes on, a deployment that waits for a person.
"""
