"""The web room as platforms, visitors, agents and programs meet it: over HTTP, on a real store."""
