"""Several brokers: each device listens at one of them, its shard."""
