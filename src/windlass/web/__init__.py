"""The face of Windlass: webhooks in, JSON API, pages and live streams. It asks the engine."""
