"""A typed client of the operators' API; the CLI uses nothing else."""
