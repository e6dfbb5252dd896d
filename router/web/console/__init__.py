"""The console: one module a page."""
