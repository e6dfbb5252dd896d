"""Bots outside: models, Rasa and the shop's own, each asked over HTTP."""
