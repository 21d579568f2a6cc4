"""Decisions of the agent without any I/O."""
