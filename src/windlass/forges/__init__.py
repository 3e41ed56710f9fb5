"""Code hosts: how each signs and words its webhooks, and how it is spoken to."""
