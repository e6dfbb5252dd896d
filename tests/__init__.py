"""Tests, a folder for each room; what they share is in builders, support and conftest."""
