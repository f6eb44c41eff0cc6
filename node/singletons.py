"""The actors that every network has once, each at the same f0 address."""

from node.address import actor_address

SYSTEM = actor_address(0)
INIT = actor_address(1)
"""Makes actors: a multisig is created by its Exec."""
REWARD = actor_address(2)
CRON = actor_address(3)
POWER = actor_address(4)
MARKET = actor_address(5)
VERIFIED_REGISTRY = actor_address(6)
DATACAP = actor_address(7)
"""The DataCap token."""
ETH_ADDRESS_MANAGER = actor_address(10)
VERIFIED_REGISTRY_ROOT = actor_address(80)
"""The registry's root key on mainnet, a multisig: adds and removes notaries. From network version 29 on it is f099."""
BURNT_FUNDS = actor_address(99)
