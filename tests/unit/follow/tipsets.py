"""Tipsets by hand: a chain is a list of names, each standing on the one before it."""

from collections.abc import Sequence
from hashlib import sha256

from explorer.follow.forks import key_of
from explorer.index.followed import Link
from node.chain.tipset import TipSet, TipSetKey
from node.cid import Cid

_CODEC_DAG_CBOR, _HASH_SHA2_256 = 0x71, 0x12


def cid(name: str) -> Cid:
    """A CID of one's own for each name."""
    return Cid(1, _CODEC_DAG_CBOR, _HASH_SHA2_256, sha256(name.encode()).digest())


def tipset(epoch: int, name: str, parent: str, *, weight: int = 0) -> TipSet:
    """A tipset of one block."""
    return TipSet(
        key=TipSetKey((cid(name),)),
        epoch=epoch,
        parents=TipSetKey((cid(parent),)),
        timestamp=0,
        parent_weight=weight,
        parent_state_root=cid("root"),
        parent_base_fee_attofil=100,
        miner_ids=(1000,),
    )


def chain_of(epochs: Sequence[int], names: Sequence[str]) -> list[TipSet]:
    """Tipsets that stand on one another, from a genesis named `nothing` on."""
    parents = ["nothing", *names]
    return [tipset(epoch, name, parent) for epoch, name, parent in zip(epochs, names, parents, strict=False)]


def links_of(tipsets: Sequence[TipSet]) -> list[Link]:
    """The same as the index follows them, from the top down."""
    return [Link(one.epoch, key_of(one.key)) for one in reversed(tipsets)]
