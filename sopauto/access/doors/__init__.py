"""Door controllers, one module for each kind."""
