"""History: jobs that newer ones replaced long ago, moved out of the way of all that asks how things stand."""
