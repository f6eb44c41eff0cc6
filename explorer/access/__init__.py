"""Who asks, and what they may: clusters with keys, notaries with addresses, operators."""
