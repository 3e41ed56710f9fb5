"""
What the API says, written out: an answer is made from a record, never is one.

A record may gain a column without anyone outside noticing; a model changes only
on purpose, and a golden file of the schema notices it.
"""
