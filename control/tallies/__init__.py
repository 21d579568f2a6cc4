"""Tallies: how many of the newest jobs are in each place, kept, so that nobody who asks has to count them all."""
