"""Tickets: one run of an SOP each, the gate, and the use cases."""
