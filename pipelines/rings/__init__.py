"""Rings: groups of firms whose prices and shared traces, lot after lot, are rarer than comparable lots allow."""
