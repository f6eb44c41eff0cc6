"""The lock that imports take turns by."""

IMPORT_LOCK = "explorer.import"
