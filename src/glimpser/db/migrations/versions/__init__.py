"""A migration never changes once released, so it imports nothing of the program."""
