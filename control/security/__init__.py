"""Keys and tokens: what neither the broker nor the content store ever sees."""
