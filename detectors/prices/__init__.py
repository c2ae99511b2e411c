"""Price patterns within a lot (报价形态)."""
