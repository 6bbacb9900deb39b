"""Switches that speak Cisco IOS."""
