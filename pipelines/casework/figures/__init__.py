"""Figures of a half-year or a year, counted from the control store (notice of 2021, article 2)."""
