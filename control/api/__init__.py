"""The HTTP API: thin doors that parse, call and answer."""
