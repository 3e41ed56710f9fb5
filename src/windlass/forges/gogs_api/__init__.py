"""What Gogs, and those who came from it, have in common: addresses, webhooks and comments."""
