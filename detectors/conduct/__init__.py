"""The process and the buyer's side (招标过程)."""
