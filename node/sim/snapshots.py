"""What a chain remembers of how everything was."""

from dataclasses import dataclass

from node.message import SignedMessage
from node.sim.blocks import Tipset
from node.sim.execution import Implicit

Pending = dict[int, dict[int, SignedMessage]]
"""Messages that wait for a block, by sender's actor id and nonce."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of a chain, to be brought back."""

    head: Tipset
    mempool: Pending
    upgrades: dict[int, int]
    waiting: tuple[Implicit, ...]
    null_rounds: int
    salt: int


def copied(pending: Pending) -> Pending:
    """The pending messages in dictionaries of their own."""
    return {sender_id: dict(queue) for sender_id, queue in pending.items()}
