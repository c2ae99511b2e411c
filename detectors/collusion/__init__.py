"""Rings, pairs, rotation and award-rule tests (串通行为)."""
