"""The services on a real store."""
