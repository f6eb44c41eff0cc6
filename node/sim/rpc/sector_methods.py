"""Filecoin.StateMiner…, StateSector…, Market…: miners' sectors one by one, what they commit to, and escrow."""

from collections.abc import Iterable, Mapping, Sequence

from node.actors import market
from node.address import Address
from node.cid import HASH_PIECE_V1, Cid
from node.message import Message
from node.sim.blocks import TipsetKey, link
from node.sim.commd import unsealed_cid
from node.sim.errors import failure
from node.sim.rpc.mempool_methods import push_message
from node.sim.rpc.methods import Node, lotus
from node.sim.rpc.params import (
    ADDRESS,
    AMOUNT,
    CID,
    INT64,
    TIPSET_KEY,
    UINT64,
    BadParam,
    Param,
    read_cid,
)
from node.sim.rpc.record_methods import miner_id, sector_document
from node.sim.state import Sector
from node.singletons import MARKET

_LEAST_PIECE_BYTES = 128
_KIB = 1 << 10
_SECTOR_BYTES = (2 * _KIB, 8 * _KIB**2, 512 * _KIB**2, 32 * _KIB**3, 64 * _KIB**3)
"""By the seal proof's number: the five sizes of the first version, then those of each later one."""
_SEAL_PROOFS = 20


def _read_piece(value: object) -> tuple[Cid, int]:
    document = value if isinstance(value, Mapping) else {}
    cid = read_cid(document.get("PieceCID"))
    if cid is None:
        raise BadParam("invalid cid: CID is missing")
    return cid, UINT64.read(document.get("Size"))


def _read_pieces(value: object) -> list[tuple[Cid, int]]:
    if value is not None and not isinstance(value, list):
        raise BadParam("json: cannot unmarshal object into Go value of type []abi.PieceInfo")
    return [_read_piece(one) for one in value or []]


def _read_bitfield(value: object) -> list[int] | None:
    """The runs of a bit field, which begin with one of absent numbers; None for no field."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(type(run) is int and run >= 0 for run in value):
        raise BadParam("json: cannot unmarshal object into Go value of type rlepus.RLE")
    return value


PIECES = Param("[]abi.PieceInfo", _read_pieces)
BIT_FIELD = Param("*bitfield.BitField", _read_bitfield)


def runs_of(numbers: Iterable[int]) -> list[int]:
    """A set of numbers as a node prints bit fields: lengths of runs of absent and present ones in turn."""
    runs: list[int] = []
    end = 0
    for number in sorted(numbers):
        if runs and number == end:
            runs[-1] += 1
        else:
            runs += [number - end, 1]
        end = number + 1
    return runs or [0]


def _is_in(runs: Sequence[int], number: int) -> bool:
    end = 0
    for position, run in enumerate(runs):
        end += run
        if number < end:
            return position % 2 == 1
    return False


def _proven(node: Node, address: Address, key: TipsetKey) -> list[tuple[int, Sector]]:
    state = node.state(key)
    held: Mapping[int, Sector] = state.sectors.get(miner_id(node, address, state), {})
    return sorted((number, one) for number, one in held.items() if one.proven)


def sectors(node: Node, address: Address, wanted: list[int] | None, key: TipsetKey) -> object:
    """A miner's proven sectors, or those of a bit field; null for none."""
    found = [
        sector_document(number, one)
        for number, one in _proven(node, address, key)
        if wanted is None or _is_in(wanted, number)
    ]
    return found or None


def active_sectors(node: Node, address: Address, key: TipsetKey) -> object:
    """A miner's active sectors: all proven ones, since none is ever faulty."""
    return sectors(node, address, None, key)


def no_sectors(node: Node, address: Address, key: TipsetKey) -> object:
    """The miner's faulty or recovering sectors: none."""
    miner_id(node, address, node.state(key))
    return runs_of(())


def allocated(node: Node, address: Address, key: TipsetKey) -> object:
    """The numbers of a miner's sectors, announced ones included."""
    state = node.state(key)
    return runs_of(state.sectors.get(miner_id(node, address, state), {}))


def is_allocated(node: Node, address: Address, number: int, key: TipsetKey) -> object:
    """Whether a sector's number is used."""
    state = node.state(key)
    return state.sector(miner_id(node, address, state), number) is not None


def sector_expiration(node: Node, address: Address, number: int, key: TipsetKey) -> object:
    """When a sector ends; RpcFault where it is not proven."""
    state = node.state(key)
    sector = state.sector(miner_id(node, address, state), number)
    if sector is None or not sector.proven:
        raise failure("failed to get sector expiration: sector not found")
    return {"OnTime": sector.expiration_epoch, "Early": 0}


def data_cid(node: Node, address: Address, proof: int, pieces: Sequence[tuple[Cid, int]], key: TipsetKey) -> object:
    """What a sector with those pieces commits to. The network's sectors are as large as the seal proof says."""
    miner_id(node, address, node.state(key))
    if not 0 <= proof < _SEAL_PROOFS:
        raise failure(f"unsupported proof type: {proof}")
    room = _SECTOR_BYTES[proof % len(_SECTOR_BYTES)]
    for cid, size in pieces:
        if cid.hash_code != HASH_PIECE_V1 or len(cid.digest) != 32:
            raise failure(f"failed to compute data CID: {cid} is no piece CID")
        if size < _LEAST_PIECE_BYTES or size & (size - 1) or size > room:
            raise failure(f"failed to compute data CID: a piece of {size} bytes fits no sector of {room}")
    if not pieces or sum(size for _, size in pieces) > room:
        raise failure(f"failed to compute data CID: {len(pieces)} pieces do not fit a sector of {room} bytes")
    return link(unsealed_cid(pieces, room))


def proposal_pending(node: Node, cid: Cid | None, key: TipsetKey) -> object:
    """Whether a proposal of that CID is published and its deal not over."""
    return cid is not None and cid.digest in node.state(key).market.pending


def _pushed(node: Node, sender: Address, number: int, params: bytes, value: int) -> object:
    message = Message(to=MARKET, sender=sender, nonce=0, value_attofil=value, method=number, params=params)
    document = push_message(node, message, None)
    return document["CID"] if isinstance(document, dict) else None


def add_balance(node: Node, wallet: Address, address: Address, amount: int) -> object:
    """Sends the message that adds to an address's escrow; its CID."""
    params = market.ADD_BALANCE.params.to_bytes(address)
    return _pushed(node, wallet, market.ADD_BALANCE.numbers[0], params, amount)


def withdraw(node: Node, wallet: Address, address: Address, amount: int) -> object:
    """Sends the message that takes from an address's escrow; its CID."""
    params = market.WithdrawBalanceParams(address, amount).to_bytes()
    return _pushed(node, wallet, market.WITHDRAW_BALANCE.numbers[0], params, 0)


def reserved(node: Node, address: Address) -> object:
    """What the node keeps back of its own for deals: nothing."""
    del node, address
    return "0"


METHODS = (
    lotus("StateMinerSectors", sectors, ADDRESS, BIT_FIELD, TIPSET_KEY),
    lotus("StateMinerActiveSectors", active_sectors, ADDRESS, TIPSET_KEY),
    lotus("StateMinerFaults", no_sectors, ADDRESS, TIPSET_KEY),
    lotus("StateMinerRecoveries", no_sectors, ADDRESS, TIPSET_KEY),
    lotus("StateMinerAllocated", allocated, ADDRESS, TIPSET_KEY),
    lotus("StateMinerSectorAllocated", is_allocated, ADDRESS, UINT64, TIPSET_KEY),
    lotus("StateSectorExpiration", sector_expiration, ADDRESS, UINT64, TIPSET_KEY),
    lotus("StateComputeDataCID", data_cid, ADDRESS, INT64, PIECES, TIPSET_KEY),
    lotus("StateMarketProposalPending", proposal_pending, CID, TIPSET_KEY),
    lotus("MarketAddBalance", add_balance, ADDRESS, ADDRESS, AMOUNT, permission="sign"),
    lotus("MarketWithdraw", withdraw, ADDRESS, ADDRESS, AMOUNT, permission="sign"),
    lotus("MarketGetReserved", reserved, ADDRESS, permission="sign"),
)
