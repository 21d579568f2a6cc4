"""What devices tell: progress and reports, stored once however often they come."""
