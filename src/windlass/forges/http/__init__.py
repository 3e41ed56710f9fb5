"""The one HTTP client of all forges."""
