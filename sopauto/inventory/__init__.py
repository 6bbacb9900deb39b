"""Inventory: what servers are made of, month by month, and what becomes of that."""
