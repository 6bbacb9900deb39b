"""What a server answered: snapshots, parsed as data."""
