"""Entries of a dump as rows of the index: which kind they are, what their columns hold, and why one can't be taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from explorer.index.documents import Entry
from explorer.verdict.records import RecordKind
from node.errors import RecordError, excerpt
from node.label import payload_key
from node.market import NEVER, Deal, parse_deal
from node.registry import Allocation, Claim, parse_allocation, parse_claim

DumpKind = Literal["deals", "claims", "allocations", "events", "pieces"]
DUMP_KINDS: tuple[DumpKind, ...] = ("deals", "claims", "allocations", "events", "pieces")

ALLOCATION_LIFETIME_EPOCHS = 172_800
"""An allocation expires at most 60 days after it was made (builtin-actors, MAXIMUM_VERIFIED_ALLOCATION_EXPIRATION)."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A record's id, its columns in the order of its Table, and the largest epoch that it bears witness of, if any."""

    id: int
    columns: Row
    epoch: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A kind of record that is imported as state: its columns beside the id, and how an entry becomes a row.

    `id_fields` may hold the id where no map key does; `marks` are fields that only entries of this kind have. `read`
    takes the id, the entry and the network's address prefixes.
    """

    kind: RecordKind
    columns: tuple[str, ...]
    id_fields: tuple[str, ...]
    marks: frozenset[str]
    read: Callable[..., Any]
    row_of: Callable[[Any], ParsedRow]


_COMMON = ("client_id", "provider_id", "size_bytes", "piece", "data_cid")
_DEAL_FIELDS = (
    *_COMMON,
    "start_epoch",
    "end_epoch",
    "sector_start_epoch",
    "slash_epoch",
    "verified",
    "label",
    "label_known",
)
_CLAIM_FIELDS = (*_COMMON, "term_min_epochs", "term_max_epochs", "term_start_epoch", "sector")
_ALLOCATION_FIELDS = (*_COMMON, "term_min_epochs", "term_max_epochs", "expiration_epoch")

_deal_columns: Callable[[Deal], Row] = attrgetter(*_DEAL_FIELDS)
claim_columns: Callable[[Claim], Row] = attrgetter(*_CLAIM_FIELDS)
"""A claim's columns in the order of CLAIMS."""
allocation_columns: Callable[[Allocation], Row] = attrgetter(*_ALLOCATION_FIELDS)
"""An allocation's columns in the order of ALLOCATIONS."""


def _deal_row(deal: Deal) -> ParsedRow:
    label_key = payload_key(deal.label) if deal.verified else None
    happened = max(deal.sector_start_epoch, deal.last_updated_epoch, deal.slash_epoch)
    return ParsedRow(deal.id, (*_deal_columns(deal), label_key), happened if happened != NEVER else None)


def _claim_row(claim: Claim) -> ParsedRow:
    return ParsedRow(claim.id, claim_columns(claim), claim.term_start_epoch)


def _allocation_row(allocation: Allocation) -> ParsedRow:
    made_epoch = max(allocation.expiration_epoch - ALLOCATION_LIFETIME_EPOCHS, 0)
    return ParsedRow(allocation.id, allocation_columns(allocation), made_epoch)


DEALS = Table(
    kind="deals",
    columns=(*_DEAL_FIELDS, "label_key"),
    id_fields=("DealID", "ID", "id"),
    marks=frozenset({"Proposal"}),
    read=parse_deal,
    row_of=_deal_row,
)
CLAIMS = Table(
    kind="claims",
    columns=_CLAIM_FIELDS,
    id_fields=("ClaimID", "ClaimId", "ID", "id"),
    marks=frozenset({"TermStart", "Sector"}),
    read=parse_claim,
    row_of=_claim_row,
)
ALLOCATIONS = Table(
    kind="allocations",
    columns=_ALLOCATION_FIELDS,
    id_fields=("AllocationID", "AllocationId", "ID", "id"),
    marks=frozenset({"Expiration"}),
    read=parse_allocation,
    row_of=_allocation_row,
)
TABLES: Mapping[str, Table] = {table.kind: table for table in (DEALS, CLAIMS, ALLOCATIONS)}


def parse_entry(table: Table, entry: Entry, prefixes: str) -> ParsedRow:
    """The row of one entry; RecordError as in `read_entry`."""
    return table.row_of(read_entry(table, entry, prefixes))


def read_entry(table: Table, entry: Entry, prefixes: str) -> Any:
    """The Deal, Claim or Allocation of one entry; RecordError with the reason why it can't be taken.

    `prefixes`: the address prefixes of the network, "f", "t" or both.
    """
    document = entry.value
    if not isinstance(document, Mapping):
        raise RecordError("malformed_record", f"the record is {excerpt(document)}, not a JSON object")
    if not table.marks & document.keys():
        marks = " or ".join(sorted(table.marks))
        raise RecordError("other_kind", f"the record has no {marks}, so it is none of the {table.kind}")
    return table.read(_id_of(table, entry, document), document, prefixes=prefixes)


def _id_of(table: Table, entry: Entry, document: Mapping[str, object]) -> object:
    """The map's key, else the field that holds the id."""
    if entry.key is not None:
        return entry.key
    return next((document[name] for name in table.id_fields if name in document), None)
