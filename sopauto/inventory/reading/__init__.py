"""What a server says of itself: the script that asks, and a snapshot of its answers."""
