"""Reviews: a cluster asks, notaries decide."""
