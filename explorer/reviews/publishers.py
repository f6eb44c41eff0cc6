"""Who a publisher is, as far as its reviews tell: what it asked for, who brought it, what it proved."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import asyncpg

from explorer.access.actors import Actor
from explorer.ground.queries import load_queries
from explorer.reviews import store
from explorer.reviews.desk import Desk
from explorer.reviews.documents import Document, summary_document, time_text
from explorer.reviews.errors import PublisherUnknown
from explorer.reviews.life import State
from explorer.reviews.reading import Filters, cursor_of, wanted_of
from explorer.reviews.requests import parse_network_address
from explorer.reviews.rights import owner_of
from node.address import Address, parse_address
from node.network import Network

MOST_CLUSTERS: Final = 100
SHOWN_PROOFS: Final = 5

_QUERIES: Final = load_queries("explorer.reviews.sql", "around.sql")


async def load_publisher(desk: Desk, actor: Actor, text: str, *, cursor: str | None, limit: int) -> Document:
    """The document `PublisherRecord` of an address in any spelling, over the reviews that the actor may see.

    PublisherUnknown where none of those names it; MalformedAddress, OtherNetworkAddress, MalformedCursor.
    """
    address, owner = parse_network_address(text, desk.network), owner_of(actor)
    filters = Filters(publisher=str(address), cursor=cursor, limit=limit + 1)
    wanted = replace(wanted_of(filters, desk.network, owner=owner), now=desk.now())
    async with desk.reading() as connection:
        states = await connection.fetch(_QUERIES["publisher_states"], str(address), owner)
        if not states:
            raise PublisherUnknown(text)
        clusters = await connection.fetch(_QUERIES["publisher_clusters"], str(address), owner, MOST_CLUSTERS)
        proofs = await connection.fetch(_QUERIES["publisher_proofs"], str(address), owner, SHOWN_PROOFS)
        page = await store.load_page(connection, wanted)
    return {
        **_named(address, proofs, desk.network),
        **_asked(states),
        "clusters": [_cluster(row) for row in clusters],
        "clusters_total": clusters[0]["total"],
        "proofs": [_proof(row) for row in proofs],
        "grants": [],
        "reviews": [summary_document(review, decisions, desk.network) for review, decisions in page[:limit]],
        "next_cursor": cursor_of(page[limit - 1][0]["id"]) if len(page) > limit else None,
    }


def _named(address: Address, proofs: Sequence[asyncpg.Record], network: Network) -> Document:
    """Its address, as a wallet spells it too, and the other addresses of the key that signed its proofs."""
    eth = address.to_eth()
    others = {one for row in proofs for one in row["proof_addresses"]} - {str(address)}
    return {
        "address": address.to_text(network.address_prefix),
        **({} if eth is None else {"eth_address": eth}),
        "same_key": [_spellings(parse_address(one), network) for one in sorted(others)],
    }


def _spellings(address: Address, network: Network) -> Document:
    eth = address.to_eth()
    return {"address": address.to_text(network.address_prefix), **({} if eth is None else {"eth_address": eth})}


def _asked(states: Sequence[asyncpg.Record]) -> Document:
    """What it asked for, in all and by state."""
    by_state: dict[str, Any] = {row["state"]: row for row in states}
    approved = by_state.get(State.APPROVED)
    return {
        "first_seen_at": time_text(min(row["first_at"] for row in states)),
        "last_seen_at": time_text(max(row["last_at"] for row in states)),
        "reviews_total": sum(row["reviews"] for row in states),
        "states": {state.value: by_state[state]["reviews"] if state in by_state else 0 for state in State},
        "requested_bytes": str(sum(row["requested_bytes"] for row in states)),
        "approved_bytes": "0" if approved is None else str(approved["requested_bytes"]),
        "proofs_total": sum(row["proofs"] for row in states),
    }


def _cluster(row: asyncpg.Record) -> Document:
    return {
        "cluster": row["cluster_name"],
        "cluster_id": row["cluster_id"],
        "reviews": row["reviews"],
        "requested_bytes": str(row["requested_bytes"]),
        "first_seen_at": time_text(row["first_at"]),
        "last_seen_at": time_text(row["last_at"]),
    }


def _proof(row: asyncpg.Record) -> Document:
    return {
        "review": row["id"],
        "job_id": row["job_id"],
        "cluster": row["cluster_name"],
        "at": time_text(row["proof_at"]),
    }
