"""The catalogue: software as data. What it needs, how it is installed, run, tested, configured and taken back."""
