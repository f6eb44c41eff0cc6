"""The simulated chain's server, and its websockets' sessions without one."""
