"""Tests of following a chain: what is decided without a chain or a database."""
