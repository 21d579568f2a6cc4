"""One rollout over many simulated devices on one machine, and what each part costs."""
