"""Servers, owners, racks, switches and addresses: what exists, and whether there is room."""
