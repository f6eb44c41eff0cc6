"""How a miner tells the market that sectors were given up, since network version 22: by their numbers."""

from dataclasses import dataclass

from node.bitfield import BitField
from node.elements import NOTHING
from node.methods import native_method
from node.tuples import CborTuple, Int, tuple_of


@dataclass(frozen=True, slots=True)
class SectorsTerminated(CborTuple):
    """Sectors of the calling miner that ended before their time."""

    epoch: Int
    sectors: BitField


SECTORS_TERMINATE = native_method("OnMinerSectorsTerminate", 7, tuple_of(SectorsTerminated), NOTHING)
