"""The agent's logs: for tools that read the original's, for programs, and for people. Secrets never."""
