"""One verb a module: ask the ports, decide, write; transactions are plain functions."""
