"""The index compared with a node, and with a replica of itself."""
