"""Switches: one folder per platform, and what all of them share."""
