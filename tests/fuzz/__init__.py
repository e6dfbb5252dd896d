"""Deliveries and answers that no platform would send, thrown at every adapter."""
