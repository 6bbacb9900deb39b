"""Reading many servers at once."""
