"""Running the command of a policy: once, watched, found again after a restart."""
