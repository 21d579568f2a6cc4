"""The command `outrider-agent`."""
