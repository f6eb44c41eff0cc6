"""Claims and allocations of the verified registry (f06), as StateGetAllClaims and StateGetAllAllocations print them."""

from collections.abc import Mapping
from dataclasses import dataclass

from node.state import parse_actor, parse_data, parse_id, parse_integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """DataCap was spent on a piece: verifreg `Claim`. Ids are actor ids, sizes padded bytes, terms counts of epochs."""

    id: int
    client_id: int
    provider_id: int
    piece: bytes | None
    data_cid: bytes | None
    size_bytes: int
    term_min_epochs: int
    term_max_epochs: int
    term_start_epoch: int
    sector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """DataCap set aside for a piece at a provider: verifreg `Allocation`."""

    id: int
    client_id: int
    provider_id: int
    piece: bytes | None
    data_cid: bytes | None
    size_bytes: int
    term_min_epochs: int
    term_max_epochs: int
    expiration_epoch: int


def parse_claim(claim_id: object, document: Mapping[str, object], *, prefixes: str = "ft") -> Claim:
    """A claim from the value of StateGetAllClaims' map; RecordError with the reason. `claim_id` is the map's key."""
    data = parse_data(document, "Data")
    return Claim(
        id=parse_id(claim_id),
        client_id=parse_actor(document, "Client", prefixes=prefixes),
        provider_id=parse_actor(document, "Provider", prefixes=prefixes),
        piece=data.piece,
        data_cid=data.cid,
        size_bytes=parse_integer(document, "Size"),
        term_min_epochs=parse_integer(document, "TermMin"),
        term_max_epochs=parse_integer(document, "TermMax"),
        term_start_epoch=parse_integer(document, "TermStart"),
        sector=parse_integer(document, "Sector"),
    )


def parse_allocation(allocation_id: object, document: Mapping[str, object], *, prefixes: str = "ft") -> Allocation:
    """An allocation from the value of StateGetAllAllocations' map; RecordError with the reason."""
    data = parse_data(document, "Data")
    return Allocation(
        id=parse_id(allocation_id),
        client_id=parse_actor(document, "Client", prefixes=prefixes),
        provider_id=parse_actor(document, "Provider", prefixes=prefixes),
        piece=data.piece,
        data_cid=data.cid,
        size_bytes=parse_integer(document, "Size"),
        term_min_epochs=parse_integer(document, "TermMin"),
        term_max_epochs=parse_integer(document, "TermMax"),
        expiration_epoch=parse_integer(document, "Expiration"),
    )
