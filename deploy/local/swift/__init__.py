"""The embedded content store: OpenStack Swift with its S3 API, in one process."""
