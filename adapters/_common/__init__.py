"""What the platforms of one family share, and nothing else."""
