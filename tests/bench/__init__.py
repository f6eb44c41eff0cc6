"""Benchmarks: each compares two things in one run, since machines are noisy, and states its goal as a ratio."""
