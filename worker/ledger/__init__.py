"""What the device remembers across restarts: one SQLite file, durable at every commit."""
