"""Forms of the SOPs as PDF and JSON."""
