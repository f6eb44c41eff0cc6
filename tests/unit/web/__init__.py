"""The pure parts of the HTTP layer."""
