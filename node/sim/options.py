"""How a chain is: what it starts from, by which rules it goes on, and what it is called."""

from dataclasses import dataclass, field

from node.sim.genesis import Genesis, Imported
from node.sim.rules import Rules

MAINNET_GENESIS_TIME = 1598306400


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a chain is: its name, its start, its rules, and how many blocks its tipsets have."""

    seed: int = 0
    network_name: str = "simulated"
    genesis_time: int = MAINNET_GENESIS_TIME
    chain_id: int = 314
    address_prefix: str = "f"
    rules: Rules = field(default_factory=Rules)
    genesis: Genesis = field(default_factory=Genesis)
    imported: Imported | None = None
    blocks_per_tipset: tuple[int, int] = (1, 3)
    """The least and the most blocks of a tipset."""
    upgrades: tuple[tuple[int, int], ...] = ()
    """Network versions and the last epoch before each."""
