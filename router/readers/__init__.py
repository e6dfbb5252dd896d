"""Readers in processes of their own: what they do, how they are spoken with and kept alive."""
