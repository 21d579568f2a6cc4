"""Detection and requirement rules: comparing apart from reading."""
