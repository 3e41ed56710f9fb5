"""
The small program that runs one job's steps, journals them and writes their log.

It outlives the server that started it. It runs in a bare interpreter
(`python -I -S`) and imports little, for every millisecond here is one between a
push and its first line of output: no json, re, signal, socket or subprocess.
"""
