"""Texts of bid files: shared runs, names in them, usual phrases."""
