"""Faults: what happens when daemons die, and when what they need goes away."""
