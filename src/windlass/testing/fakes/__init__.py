"""A programmable fake of every port; each passes the contract of the real one."""
