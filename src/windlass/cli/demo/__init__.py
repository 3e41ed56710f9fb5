"""`windlass demo`: a whole story in one folder, with a real server and real pushes."""
