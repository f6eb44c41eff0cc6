"""A small Filecoin chain in memory, deterministic and with no clock but its own, that answers as a Lotus node does.

state, tables      what is after a tipset, immutable
machine, actors/   calls of actors with their rules, exit codes and error texts
blocks, execution  tipsets, and what the execution of one makes of the state
chain              the heads, the mempool, forks and network upgrades: `SimulatedChain`
rpc/               JSON-RPC as Lotus answers it, and the chain's own `Sim.…` methods
"""
