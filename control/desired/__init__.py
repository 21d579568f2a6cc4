"""Desired state as documents: what is there, what should be there, and how one becomes the other."""
