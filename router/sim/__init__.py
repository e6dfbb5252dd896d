"""The same routing on an invented or recorded day."""
