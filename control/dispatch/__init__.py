"""Sending jobs to devices."""
