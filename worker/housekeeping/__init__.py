"""What the agent does beside its jobs, in a second thread: check in, deliver reports, send progress."""
