"""Complaints (投诉): states, clocks, ledger; who complained is sealed."""
