"""The newest inventory as other systems take it: one file per format."""
