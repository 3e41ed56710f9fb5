"""
What the API and the pages show, read from one snapshot of the store.

Each view is a plain function from `Tx` to frozen data: the same words for the
page, the API and the command line, and something whose `repr` tells whether it changed.
"""
