"""JSON-RPC over a `SimulatedChain`: Lotus' methods, parameter checks, errors and statuses, without any transport."""
