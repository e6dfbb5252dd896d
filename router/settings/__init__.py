"""config/ read, checked and handed out."""
