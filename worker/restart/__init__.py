"""Restarts that installers ask for: noted, announced, carried out at their deadline, over once the device restarted."""
