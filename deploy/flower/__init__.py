"""Flower, the dashboard."""
