"""The command line, one module a desk. ``pipelines.cli`` puts them together."""
