"""The programs that make up a running control plane."""
