"""Technical steps: each one planned, applied, proven and undone."""
