"""The explorer: one shared service that knows whether a CID is FIL+, and the ground that both services stand on."""
