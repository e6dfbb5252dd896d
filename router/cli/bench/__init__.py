"""Benchmarks. Nothing is imported here: the client of a benchmark starts without the daemon."""
