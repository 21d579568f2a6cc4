"""Where content lies: the port every store must fulfil, and its implementations."""
