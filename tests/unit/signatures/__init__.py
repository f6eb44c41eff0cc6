"""Decisions by signature: published vectors, property tests, and hostile texts and signatures."""
