"""`inv test`: every check of the project, in stages."""
