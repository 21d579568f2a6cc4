"""Filters: rules over the facts of devices, in the language of assignment filters (behaviour 2.8)."""
