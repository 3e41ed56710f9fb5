"""The moving part: receive, dispatch, advance, perform, reconcile. It sees ports only."""
