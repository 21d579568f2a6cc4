"""The eleven phases, one function each; they know neither the queue nor each other."""
