"""Periods of the law (期限): working days, rules, clocks that run."""
