"""Award rules (评标办法) recomputed from bids and drawn coefficients."""
