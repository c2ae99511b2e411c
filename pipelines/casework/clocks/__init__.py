"""Deadlines of the law (期限): working days, periods, and the clocks that run."""
