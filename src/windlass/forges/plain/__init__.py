"""Plain Git as a forge: a bare repository on disk, with a hook."""
