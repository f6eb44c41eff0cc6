"""The recorded dumps and answers beside the checkout, and their records as the plain rules read them."""

import base64
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.unit.node.shared_data import SHARED

Json = dict[str, Any]
_METHODS = {
    "Filecoin.StateMarketDeals": "deals",
    "Filecoin.StateGetAllClaims": "claims",
    "Filecoin.StateGetAllAllocations": "allocations",
    "Filecoin.GetActorEventsRaw": "events",
}


def answers(folder: str, kind: str) -> list[Json]:
    """Every answer of a node with records of that kind, as it was sent, in order."""
    found = []
    for line in (SHARED / "lotus" / folder / "calls.ndjson").read_text().splitlines():
        call = json.loads(line)
        request, response = call.get("request"), call.get("response")
        if isinstance(request, dict) and _METHODS.get(request.get("method", "")) == kind and isinstance(response, dict):
            found += [response] if response.get("result") else []
    return found


def type_of(event: Mapping[str, Any]) -> str:
    """An event's `$type`, read without the product; "" for another actor's event."""
    types = [entry["Value"] for entry in event["entries"] if entry["Key"] == "$type" and entry["Codec"] == 81]
    return base64.b64decode(types[0])[1:].decode() if types else ""


def types_of(events: list[Json]) -> Counter[str]:
    return Counter(type_of(event) for event in events)


def plain_records(
    epoch: int,
    *,
    deals: Mapping[str, Json] | None = None,
    claims: Mapping[str, Json] | None = None,
    allocations: Mapping[str, Json] | None = None,
) -> list[Json]:
    """Records as the plain rules take them, all seen at `epoch` and never since."""
    seen = {"first": epoch, "last": epoch, "gone": None, "removed": None, "terminated": None}
    records = []
    for deal in (deals or {}).values():
        proposal, state = deal["Proposal"], deal["State"]
        named = {"Client": int(proposal["Client"][2:]), "Provider": int(proposal["Provider"][2:])}
        piece = {"is": "deal", "Piece": proposal["PieceCID"]["/"]}
        records.append(seen | proposal | state | named | piece)
    records += [seen | claim | {"is": "claim", "Piece": claim["Data"]["/"]} for claim in (claims or {}).values()]
    for number, allocation in (allocations or {}).items():
        start = claims[number]["TermStart"] if claims and number in claims else None
        records.append(seen | allocation | {"is": "allocation", "Piece": allocation["Data"]["/"], "claimed": start})
    return records
