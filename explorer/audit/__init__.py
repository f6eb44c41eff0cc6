"""What was done, by whom: append-only, and chained by hashes."""
