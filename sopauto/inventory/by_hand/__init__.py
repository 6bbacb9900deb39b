"""Servers that no scan reads: a person fills a form."""
