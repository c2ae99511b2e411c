"""Bans, sanctions and repeat offenders (名单)."""
