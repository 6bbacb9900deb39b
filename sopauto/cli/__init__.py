"""The command line: one Invoke collection per domain."""
