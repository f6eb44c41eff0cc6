"""Tests of the simulated chain."""
