"""The REST API under /api/v1: one registry of operations makes the routes and the document."""
