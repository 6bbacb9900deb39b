"""Open vSwitch on Linux."""
