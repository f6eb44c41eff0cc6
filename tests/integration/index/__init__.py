"""Imports into a real PostgreSQL, and what the index answers from them."""
