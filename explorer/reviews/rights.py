"""Who may do what with a review. Pure; that somebody is who they say was found out before.

|                            | its cluster | another cluster | a notary | an operator |
|----------------------------|-------------|-----------------|----------|-------------|
| see, comment, prove        | yes         | it isn't there  | yes      | yes         |
| results                    | yes         |                 |          |             |
| withdraw                   | yes         |                 |          | yes         |
| reopen expired, withdrawn  | yes         |                 | yes      | yes         |
| reopen rejected            |             |                 | yes      | yes         |

A rejection stands until a notary or an operator thinks again: a cluster can't ask until somebody else says yes.
"""

from explorer.access.actors import Actor, ActorKind, Scope
from explorer.reviews.errors import NotThisActor, ReviewUnknown
from explorer.reviews.life import State

_OVERSEERS = frozenset({ActorKind.NOTARY, ActorKind.OPERATOR, ActorKind.SYSTEM})


def sees_all(actor: Actor) -> bool:
    """Whether the actor may see every review."""
    return actor.kind in _OVERSEERS or Scope.ADMIN in actor.scopes


def owner_of(actor: Actor | None) -> str | None:
    """The cluster whose reviews alone the actor may see; None: all of them. Nobody known sees those of no cluster."""
    if actor is None:
        return ""
    return None if sees_all(actor) else actor.id


def demand_overseer(actor: Actor) -> None:
    """Returns for those who may see every review."""
    if not sees_all(actor):
        raise NotThisActor("all reviews are for notaries and operators; name one of your own", value=actor.kind)


def demand_sight(actor: Actor | None, review_id: str, cluster_id: str) -> None:
    """Returns where the actor may see the review of a cluster; else it is unknown to it."""
    if actor is None or not (sees_all(actor) or actor.id == cluster_id):
        raise ReviewUnknown(review_id)


def demand_cluster(actor: Actor) -> None:
    """Returns for a cluster: nobody else asks for reviews or tells of results."""
    if actor.kind is not ActorKind.CLUSTER:
        raise NotThisActor(f"only a cluster can do that, not {actor.name} ({actor.kind})", value=actor.kind)


def demand_withdrawal(actor: Actor) -> None:
    """Returns for those who may withdraw a review that they see."""
    if actor.kind is ActorKind.NOTARY:
        raise NotThisActor("a notary rejects a review; its cluster or an operator withdraws it", value=actor.kind)


def demand_reopening(actor: Actor, state: State) -> None:
    """Returns for those who may reopen a review that they see, as it stands."""
    if state is State.REJECTED and not sees_all(actor):
        raise NotThisActor("a rejected review is reopened by a notary or an operator, not by its cluster",
                           value=actor.kind)  # fmt: skip
