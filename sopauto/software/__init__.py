"""Software from a catalogue: installed, tested, taken back (SOP 003)."""
