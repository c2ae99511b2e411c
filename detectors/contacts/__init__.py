"""Shared people, phones, accounts, devices and ownership (关联关系)."""
