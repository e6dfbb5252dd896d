"""Calls out to platforms and bots, and notices between daemons."""
