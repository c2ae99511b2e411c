"""What bidders state, beside registers and contracts."""
