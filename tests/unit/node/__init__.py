"""Tests of `node`: pure, no sockets, no files but the recorded data."""
