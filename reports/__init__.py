"""Rows in, text or bytes out: alert lists, delivery folders, letters, figures, the night page, the catalogue.

Nothing here opens a store, reads a clock or knows where a row came from. Equal rows give equal bytes.
"""
