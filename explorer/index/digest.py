"""A digest of the state that the index holds at an epoch: two replicas that hold the same have the same.

Each record is a line of text, each line's SHA-256 a number, and the digest of a kind the sum of those modulo 2^256: the
order doesn't matter, and what one record adds can be taken off again. docs/operator.md writes the lines down.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries
from explorer.index.spans import load_coverage
from explorer.index.state import gaps_at, state_query
from explorer.verdict.records import RECORD_KINDS, RecordKind

VERSION = 1
"""Of the lines; digests of two versions don't compare."""
PAGE_IDS = 20_000
HASH_BYTES = 32
MODULUS = 1 << 256

Progress = Callable[[RecordKind, int], None]
_QUERIES = load_queries("explorer.index.sql", "digest.sql")


@dataclass(slots=True)
class Sum:
    """The sum of the hashes of some lines, and how many they are."""

    records: int = 0
    total: int = 0

    def add(self, hashes: bytes | None) -> None:
        """Takes in hashes that stand one after the other."""
        raw = hashes or b""
        starts = range(0, len(raw), HASH_BYTES)
        self.records += len(starts)
        self.total = (self.total + sum(int.from_bytes(raw[at : at + HASH_BYTES]) for at in starts)) % MODULUS

    @property
    def text(self) -> str:
        """The sum as 64 hexadecimal digits."""
        return f"{self.total:064x}"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"records": self.records, "sum": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What the index holds at an epoch, in a few numbers. `gaps`: kinds whose state there is not known, and why."""

    network: str
    epoch: int
    sums: Mapping[RecordKind, Sum]
    labels: Sum = field(default_factory=Sum)
    """Over the labels of deals as far as they are known, apart from the rest: not every node tells them all."""
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str | None:
        """The digest of it all, without the labels; None while a kind is not known."""
        if self.gaps:
            return None
        lines = [f"filplus-digest,{VERSION},{self.network},{self.epoch}"]
        lines += [f"{kind},{self.sums[kind].records},{self.sums[kind].text}" for kind in RECORD_KINDS]
        return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """As `filplus --json index digest` prints it; a kind that is not known is null."""
        return {
            "version": VERSION,
            "network": self.network,
            "epoch": self.epoch,
            "digest": self.text,
            "kinds": {kind: self.sums[kind].document() if kind in self.sums else None for kind in RECORD_KINDS},
            "labels": None if "deals" in self.gaps else self.labels.document(),
            "gaps": dict(self.gaps),
        }


@cache
def _page_query(kind: RecordKind) -> str:
    return _QUERIES[kind].format(state=state_query(kind, "page"))


async def digest_at(
    connection: asyncpg.Connection,
    network: str,
    epoch: int,
    *,
    progress: Progress = lambda _kind, _records: None,
) -> Digest:
    """The digest at an epoch that the index reaches; in a snapshot of the caller's where the index may change."""
    gaps = gaps_at(await load_coverage(connection), epoch)
    sums: dict[RecordKind, Sum] = {kind: Sum() for kind in RECORD_KINDS if kind not in gaps}
    labels = Sum()
    for kind, one in sums.items():
        last = -1
        while (page := await connection.fetchrow(_page_query(kind), epoch, last, PAGE_IDS))["last_id"] is not None:
            one.add(page["hashes"])
            labels.add(page["label_hashes"])
            last = page["last_id"]
            progress(kind, one.records)
    return Digest(network=network, epoch=epoch, sums=sums, labels=labels, gaps=gaps)
