"""Everything the device says to the control plane, over signed HTTPS."""
