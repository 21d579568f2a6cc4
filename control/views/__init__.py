"""What the operators' API takes and answers, area by area; the CLI reads the same models."""
