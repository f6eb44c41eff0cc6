"""Tests of following a chain."""
