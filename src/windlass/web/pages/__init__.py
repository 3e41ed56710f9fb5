"""The pages: one view and one template each, live without a build step."""
