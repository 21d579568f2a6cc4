"""What operators do to jobs: retry now, cancel; and the orders that tell devices of it."""
