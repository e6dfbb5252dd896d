"""What we know and how we decide; plain values and pure functions, no I/O."""
