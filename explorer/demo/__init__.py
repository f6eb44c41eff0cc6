"""The story that `filplus demo` tells, and the real deals and claims of mainnet that it tells it with."""
