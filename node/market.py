"""Deals of the storage market actor (f05), as StateMarketDeals and StateMarketStorageDeal print them."""

from collections.abc import Mapping
from dataclasses import dataclass

from node.errors import RecordError, excerpt
from node.state import parse_actor, parse_data, parse_id, parse_integer, parse_object

NEVER = -1
"""How the market writes "has not happened" in SectorStartEpoch, LastUpdatedEpoch and SlashEpoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A deal's proposal and state. Ids are actor ids, sizes padded bytes; NEVER where something has not happened.

    `label_known` is False for an empty label in JSON: Lotus prints a label that is no text in the same way.
    """

    id: int
    client_id: int
    provider_id: int
    piece: bytes | None
    data_cid: bytes | None
    size_bytes: int
    verified: bool
    label: bytes
    label_known: bool
    start_epoch: int
    end_epoch: int
    sector_start_epoch: int
    last_updated_epoch: int
    slash_epoch: int


def parse_deal(deal_id: object, document: Mapping[str, object], *, prefixes: str = "ft") -> Deal:
    """A deal from the value of StateMarketDeals' map; RecordError with the reason.

    Entries without `State` were never activated (EmptyDealState). Entries of nv17 to nv21 have `VerifiedClaim` and no
    `SectorNumber`; neither is needed.
    """
    proposal = parse_object(document.get("Proposal"), "Proposal")
    state = document.get("State")
    state = parse_object({} if state is None else state, "State")
    data = parse_data(proposal, "PieceCID")
    label, label_known = parse_label(proposal.get("Label"))
    return Deal(
        id=parse_id(deal_id),
        client_id=parse_actor(proposal, "Client", prefixes=prefixes),
        provider_id=parse_actor(proposal, "Provider", prefixes=prefixes),
        piece=data.piece,
        data_cid=data.cid,
        size_bytes=parse_integer(proposal, "PieceSize"),
        verified=_parse_verified(proposal),
        label=label,
        label_known=label_known,
        start_epoch=parse_integer(proposal, "StartEpoch"),
        end_epoch=parse_integer(proposal, "EndEpoch"),
        sector_start_epoch=_parse_epoch(state, "SectorStartEpoch"),
        last_updated_epoch=_parse_epoch(state, "LastUpdatedEpoch"),
        slash_epoch=_parse_epoch(state, "SlashEpoch"),
    )


def parse_label(value: object) -> tuple[bytes, bool]:
    """A label's bytes and whether they are known: from text, or from an array of byte values, as Forest prints them."""
    if value is None or value == "":
        return b"", False
    if isinstance(value, str):
        return _label_bytes(value), True
    if isinstance(value, list) and all(type(byte) is int and 0 <= byte <= 255 for byte in value):
        return bytes(value), True
    raise RecordError("malformed_label", f"Label is {excerpt(value)}, not text or an array of bytes")


def _label_bytes(text: str) -> bytes:
    """The bytes of text that was read with `surrogateescape`: those that are no UTF-8 come back as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _parse_verified(proposal: Mapping[str, object]) -> bool:
    verified = proposal.get("VerifiedDeal")
    if not isinstance(verified, bool):
        raise RecordError("malformed_verified_deal", f"VerifiedDeal is {excerpt(verified)}, not true or false")
    return verified


def _parse_epoch(state: Mapping[str, object], name: str) -> int:
    """An epoch of the deal's state; absent means never."""
    return parse_integer(state, name, least=NEVER) if name in state else NEVER
