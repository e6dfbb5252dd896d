"""The contract that a channel fulfils, and how channels are found."""
