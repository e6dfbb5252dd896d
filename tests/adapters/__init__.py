"""What is said to and by each channel, as cases."""
