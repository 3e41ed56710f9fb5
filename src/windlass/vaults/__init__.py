"""Where secret values are; each module implements the port `Vault`."""
