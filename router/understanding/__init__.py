"""What a message means and which article answers it."""
