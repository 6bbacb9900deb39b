"""What changed between two snapshots, and what of it no ticket explains."""
