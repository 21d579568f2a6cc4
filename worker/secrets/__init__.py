"""Secrets for installers on the device: asked for and opened right before the command, gone with it."""
