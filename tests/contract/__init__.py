"""The contract of a chain: what real drivers asked a real node, asked again, and what differs on purpose."""
