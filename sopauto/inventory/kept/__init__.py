"""What is kept of scans: sections that did not change are kept once."""
