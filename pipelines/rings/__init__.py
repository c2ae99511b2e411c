"""Rings: groups of firms whose prices and shared traces, lot after lot, are rarer than comparable lots allow."""

#: Rings with at most this expected false share stand on the list; the desk may look at those up to the second.
LIST_Q = 0.1
DESK_Q = 0.2
