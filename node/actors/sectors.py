"""How a miner tells others that data came into its sectors: SectorContentChanged (FIP-0076, FIP-0109).

The market takes it to activate deals: the payload of a piece is then the deal's id in CBOR.
"""

from dataclasses import dataclass

from node.cid import Cid
from node.elements import BOOLEAN, list_of
from node.methods import exported_method
from node.tuples import CborTuple, Int, Uint, tuple_of


@dataclass(frozen=True, slots=True)
class PieceChange(CborTuple):
    """A piece in a sector, and what its provider wants to say about it."""

    data: Cid
    size_bytes: Uint
    payload: bytes


@dataclass(frozen=True, slots=True)
class SectorChanges(CborTuple):
    """The pieces that came into one sector, and until when it stays at least."""

    sector: Uint
    minimum_commitment_epoch: Int
    added: tuple[PieceChange, ...]


SECTOR_CONTENT_CHANGED = exported_method(
    "SectorContentChanged", list_of(tuple_of(SectorChanges)), list_of(list_of(BOOLEAN))
)
"""Returns for each piece of each sector whether it was accepted."""
