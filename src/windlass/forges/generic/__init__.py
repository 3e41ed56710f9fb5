"""Signed posts of anything, by Standard Webhooks or by the token of an OIDC issuer."""
