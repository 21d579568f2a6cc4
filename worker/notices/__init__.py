"""What the person at the device is told."""
