"""From bytes to rules: the configuration language. Pure: nothing here opens a file."""
