"""The domain: rules that hold for every input."""
