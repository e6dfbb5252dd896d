"""Bots outside against real servers on the loopback address."""
