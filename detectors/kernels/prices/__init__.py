"""Prices of lots as arrays, price screens, reference classes."""
