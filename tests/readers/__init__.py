"""Reader processes, healthy and ill."""
