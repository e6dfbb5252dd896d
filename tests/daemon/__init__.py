"""The whole daemon as a process: stops, kills, and the story."""
