"""Who asks: a cluster, a notary or an operator, once the key, the signature or the session was checked."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What an actor is."""

    CLUSTER = "cluster"
    NOTARY = "notary"
    OPERATOR = "operator"
    """Whoever administers the service: on its database, or with a key of scope `admin`."""
    SYSTEM = "system"
    """The service itself, as when a review expires."""


class Scope(StrEnum):
    """What a key may be used for."""

    WRITE = "reviews:write"
    READ = "reviews:read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who was recognised. `id` is the cluster's id, or the notary's address as text."""

    kind: ActorKind
    id: str
    name: str
    scopes: frozenset[Scope] = frozenset()


SYSTEM = Actor(ActorKind.SYSTEM, "system", "the service")
OPERATOR = Actor(ActorKind.OPERATOR, "operator", "an operator on the database", frozenset({Scope.ADMIN}))
"""Whoever runs a command of administration, which works on the database."""
