"""What a transaction can ask and write, one module a subject; `router.store` fulfils it.

Each method answers one question in the words of the caller. Nothing here awaits.
"""
