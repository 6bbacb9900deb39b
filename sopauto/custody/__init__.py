"""Custody of an organisation unit's server: its port on the switch, and whether it is the server that was brought."""
