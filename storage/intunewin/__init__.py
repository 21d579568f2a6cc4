"""The .intunewin package format: read, verify, extract and build (docs/package-format.md)."""
