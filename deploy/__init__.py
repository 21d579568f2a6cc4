"""How Outrider is run: the local stack, the demo, and settings for the servers around it."""
