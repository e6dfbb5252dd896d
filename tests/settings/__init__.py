"""The configuration: read, checked, handed out."""
