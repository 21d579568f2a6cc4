"""Rollouts: one revision of an app reaches its devices ring by ring."""
