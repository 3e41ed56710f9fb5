"""How to ask the API: one file for each thing that can be asked about."""
