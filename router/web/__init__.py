"""Requests in; pages, API and event streams out."""
