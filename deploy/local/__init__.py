"""The whole of Outrider on one machine, without root, containers or network services."""
