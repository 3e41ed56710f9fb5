"""Commands in comments on pull requests: asked for, acted on by the rules of every wish, told."""
