"""What comparisons of the index with a node found, kept in the database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from explorer.ground.queries import load_queries

KEPT = 100
"""So many are kept, however old."""

_QUERIES = load_queries("explorer.index.sql", "verifications.sql")
_JSON = ("scope", "compared", "drift", "examples", "not_compared")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One comparison that came to its end."""

    at: datetime
    epoch: int
    node: str
    scope: Mapping[str, Any]
    """`{"what": "sample", "seed", "providers", "clients", "deals"}`, or `providers`, or `all`.

    `asked_epoch` where that has no tipset, so that the one below was compared at; `without_claims` the providers that
    were named and of whom neither side has a claim.
    """
    compared: Mapping[str, Mapping[str, int]]
    """By kind: `{"index", "node"}`, how many records each had in the scope, and `rejected`."""
    drift: Mapping[str, Mapping[str, int]]
    """By kind: `{"missing", "surplus", "different"}`."""
    examples: list[dict[str, Any]]
    not_compared: Mapping[str, str]
    """By kind, why not."""
    seconds: float

    @property
    def drifted(self) -> int:
        """How many records differ."""
        return sum(sum(counts.values()) for counts in self.drift.values())

    @property
    def is_clean(self) -> bool:
        """Whether something was compared of everything that was asked for, and all of that is the same."""
        return not self.drifted and has_compared(self.compared) and not self.scope.get("without_claims")

    def summary(self) -> dict[str, Any]:
        """The `index.verification` of `GET /status`."""
        return {
            "at": self.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "epoch": self.epoch,
            "what": self.scope["what"],
            "compared": self.compared,
            "drift": self.drift,
            "drifted": self.drifted,
            "not_compared": self.not_compared,
        }

    def document(self) -> dict[str, Any]:
        """As `filplus --json index verify` prints it."""
        seconds = round(self.seconds, 3)
        return self.summary() | {
            "node": self.node,
            "scope": self.scope,
            "examples": self.examples,
            "seconds": seconds,
        }


def has_compared(compared: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether the index or the node had any record in the scope."""
    return any(one["index"] or one["node"] for one in compared.values())


async def save_verification(connection: asyncpg.Connection, one: Verification) -> None:
    """Keeps what a comparison found."""
    documents = [json.dumps(getattr(one, name)) for name in _JSON]
    await connection.execute(_QUERIES["save"], one.at, one.epoch, one.node, *documents, one.seconds)


async def load_last_verification(connection: asyncpg.Connection) -> Verification | None:
    """The newest; None where the index was never compared with a node."""
    row = await connection.fetchrow(_QUERIES["last"])
    if row is None:
        return None
    return Verification(**{**row, **{name: json.loads(row[name]) for name in _JSON}})


async def prune_verifications(connection: asyncpg.Connection, before: datetime) -> None:
    """Forgets those that are older, but for the newest KEPT."""
    await connection.execute(_QUERIES["prune"], before, KEPT)
