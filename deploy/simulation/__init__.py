"""A simulated fleet: many devices in a few processes, with the agent's own engine and the real protocol."""
