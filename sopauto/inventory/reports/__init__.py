"""The month on a few pages."""
