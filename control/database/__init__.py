"""The database: the truth of the system. SQLite and PostgreSQL by the same code."""
