"""Agencies in which everything can happen."""
