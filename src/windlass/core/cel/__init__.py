"""CEL, the expression language: the only place that knows its library, and bounds its cost."""
