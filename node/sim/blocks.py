"""Blocks and tipsets, as the chain writes them: headers in DAG-CBOR with their CIDs.

A tipset is the blocks of one epoch with the same parents, in the order of their tickets' hashes; its key is the list
of their CIDs in that order.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from node import cbor
from node.address import Address
from node.cbor import bigint_to_bytes
from node.cid import Cid, parse_cid
from node.message import SignedMessage, block_cid, signed_message_cid
from node.signature import BLS, Signature
from node.sim.amt import list_root

GENESIS_PARENT = parse_cid("bafyreiaqpwbbyjo4a42saasj36kkrpv4tsherf2e7bvezkert2a7dhonoi")
"""What every Filecoin genesis block names as its parent."""
EMPTY_RECEIPTS = list_root([])
_PROOF = b"valid proof"
_WEIGHT_SCALE = 256

TipsetKey = tuple[Cid, ...]


def messages_root(messages: Sequence[SignedMessage]) -> Cid:
    """The CID by which a block links to its messages, those with BLS signatures apart from the others."""
    bls = [signed_message_cid(one) for one in messages if one.signature.kind == BLS]
    others = [signed_message_cid(one) for one in messages if one.signature.kind != BLS]
    return block_cid(cbor.encode([list_root(bls), list_root(others)]))


def tipset_key_cid(key: TipsetKey) -> Cid:
    """The CID that stands for a tipset's key."""
    return block_cid(cbor.encode(b"".join(cid.to_bytes() for cid in key)))


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block. A genesis block has neither signature nor aggregate nor proofs."""

    miner: Address
    ticket: bytes
    win_count: int
    election_proof: bytes | None
    beacon: tuple[tuple[int, bytes], ...]
    parents: TipsetKey
    parent_weight: int
    height: int
    parent_state_root: Cid
    parent_receipts: Cid
    timestamp: int
    aggregate: Signature | None
    signature: Signature | None
    parent_base_fee: int
    messages: tuple[SignedMessage, ...] = field(default=(), repr=False)

    @cached_property
    def messages_root(self) -> Cid:
        """The link to its messages."""
        return messages_root(self.messages)

    @cached_property
    def raw(self) -> bytes:
        """The header's bytes."""
        proofs = [] if self.signature is None else [[0, _PROOF]]
        return cbor.encode(
            [
                self.miner.to_bytes(),
                [self.ticket],
                [self.win_count, self.election_proof or b""],
                [[number, data] for number, data in self.beacon],
                proofs,
                list(self.parents),
                bigint_to_bytes(self.parent_weight),
                self.height,
                self.parent_state_root,
                self.parent_receipts,
                self.messages_root,
                None if self.aggregate is None else self.aggregate.to_bytes(),
                self.timestamp,
                None if self.signature is None else self.signature.to_bytes(),
                0,
                bigint_to_bytes(self.parent_base_fee),
            ]
        )

    @cached_property
    def cid(self) -> Cid:
        """The block's CID."""
        return block_cid(self.raw)

    def bls_messages(self) -> list[SignedMessage]:
        """Its messages that are listed without signatures."""
        return [one for one in self.messages if one.signature.kind == BLS]

    def other_messages(self) -> list[SignedMessage]:
        """Its messages that are listed with their signatures."""
        return [one for one in self.messages if one.signature.kind != BLS]

    def document(self, prefix: str) -> dict[str, object]:
        """The header as a node prints it, keys in a node's order."""
        signed = self.signature is not None
        return {
            "Miner": self.miner.to_text(prefix),
            "Ticket": {"VRFProof": _base64(self.ticket)},
            "ElectionProof": {"WinCount": self.win_count, "VRFProof": _base64(self.election_proof)},
            "BeaconEntries": [{"Round": number, "Data": _base64(data)} for number, data in self.beacon],
            "WinPoStProof": [{"PoStProof": 0, "ProofBytes": _base64(_PROOF)}] if signed else None,
            "Parents": [link(cid) for cid in self.parents],
            "ParentWeight": str(self.parent_weight),
            "Height": self.height,
            "ParentStateRoot": link(self.parent_state_root),
            "ParentMessageReceipts": link(self.parent_receipts),
            "Messages": link(self.messages_root),
            "BLSAggregate": _signature_document(self.aggregate),
            "Timestamp": self.timestamp,
            "BlockSig": _signature_document(self.signature),
            "ForkSignaling": 0,
            "ParentBaseFee": str(self.parent_base_fee),
        }


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else binascii.b2a_base64(raw, newline=False).decode("ascii")


def _signature_document(signature: Signature | None) -> dict[str, object] | None:
    return None if signature is None else {"Type": signature.kind, "Data": _base64(signature.data)}


def link(cid: Cid) -> dict[str, str]:
    """A CID in a node's JSON."""
    return {"/": cid.to_text()}


@dataclass(frozen=True)
class Tipset:
    """A tipset, made by `tipset_of`."""

    blocks: tuple[Block, ...]

    @cached_property
    def key(self) -> TipsetKey:
        """The CIDs of its blocks, in order."""
        return tuple(block.cid for block in self.blocks)

    @property
    def height(self) -> int:
        """Its epoch."""
        return self.blocks[0].height

    @property
    def parents(self) -> TipsetKey:
        """The key of its parent. That of a genesis names no tipset."""
        return self.blocks[0].parents

    @property
    def base_fee(self) -> int:
        """What its messages pay for a unit of gas."""
        return self.blocks[0].parent_base_fee

    @cached_property
    def weight(self) -> int:
        """The weight of the chain that ends with it (Lotus chain/consensus/filcns/weight.go)."""
        wins = sum(block.win_count for block in self.blocks)
        return self.blocks[0].parent_weight + added_weight(wins)

    @cached_property
    def messages(self) -> tuple[SignedMessage, ...]:
        """Its messages in the order of execution: block by block, BLS first, each once."""
        ordered = (one for block in self.blocks for one in (*block.bls_messages(), *block.other_messages()))
        return tuple({signed_message_cid(one): one for one in ordered}.values())

    def document(self, prefix: str) -> dict[str, object]:
        """The tipset as a node prints it."""
        return {
            "Cids": [link(cid) for cid in self.key],
            "Blocks": [block.document(prefix) for block in self.blocks],
            "Height": self.height,
        }


_LOG2_OF_POWER = 39


def added_weight(wins: int) -> int:
    """What a tipset with that many won elections adds to its chain's weight, with the power of a small devnet."""
    base = _LOG2_OF_POWER * _WEIGHT_SCALE
    return base + base * wins // 10


def tipset_of(blocks: Sequence[Block]) -> Tipset:
    """The tipset of blocks with the same height and parents, put in order."""
    return Tipset(tuple(sorted(blocks, key=_ticket_order)))


def _ticket_order(block: Block) -> tuple[bytes, bytes]:
    return blake2b(block.ticket, digest_size=32).digest(), block.cid.to_bytes()
