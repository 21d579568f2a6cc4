"""What operators changed, in a log that shows every line that was removed or changed."""
