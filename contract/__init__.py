"""What control plane and device say to each other; imports nothing of ours."""
