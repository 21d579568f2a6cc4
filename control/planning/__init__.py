"""Planning: which device gets which job."""
