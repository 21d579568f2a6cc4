"""The package format and the object store."""
