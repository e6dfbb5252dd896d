"""The contract, the registry, accounts and captures."""
