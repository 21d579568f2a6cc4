"""The demo: a real package on three real devices, on one machine."""
