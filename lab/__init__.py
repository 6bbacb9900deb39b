"""The disposable data centre: virtual machines, switches, servers and mail for demo and tests."""
