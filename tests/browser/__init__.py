"""Page tests: the real application, a real store, a real browser."""
