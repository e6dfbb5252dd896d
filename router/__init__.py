"""The router: what is known, how it is decided, and the edges that touch the world."""
