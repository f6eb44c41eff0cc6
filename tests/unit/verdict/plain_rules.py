"""DESIGN's chapter on the verdict, told a second time: straight from its text, over plain dictionaries.

A record is a dictionary with `is` ("claim", "deal", "allocation") and the chain's fields by their names in DESIGN's
table; beside them `first` and `last`, the first and last epoch at which a source had it, `gone`, the epoch of the
newer complete file without it, and the epochs of events (`removed`, `terminated`), already height + 1. `None`: never.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Says = tuple[str, set[str]]
"""What a record counts as ("active", "pending", "past", "nothing", or "?" for not known), and the statuses that fit."""


def verdict(records: Iterable[Record], covered: set[str], asked: Mapping[str, Any]) -> str:
    """The verdict at N. `covered`: the kinds that the index holds completely at N.

    `asked`: N, nv17, nv22, R (None: not known), payload, labels_known.
    """
    records = list(records)
    said = [one for one in (record_says(record, records, covered, asked) for record in records) if one]
    worth = {counts for counts, _ in said}
    for name in ("active", "pending", "past"):
        if name in worth:
            return name
    return "unknown" if "?" in worth or has_hole(covered, asked) else "none"


def has_hole(covered: set[str], asked: Mapping[str, Any]) -> bool:
    """Whether a record could be where the index has not looked."""
    if asked["payload"] and (asked["N"] >= asked["nv22"] or not asked["labels_known"]):
        return True
    if "deals" not in covered:
        return True
    if asked["N"] < asked["nv17"]:
        return False
    if "claims" not in covered:
        return True
    over = asked["R"] is not None and asked["N"] >= asked["R"]
    return "allocations" not in covered and not over


def record_says(record: Record, records: Sequence[Record], covered: set[str], asked: Mapping[str, Any]) -> Says | None:
    """What one record says at N beside the others; None where it says nothing yet."""
    if record["is"] == "claim":
        return claim_says(record, asked["N"])
    if record["is"] == "deal":
        return deal_says(record, records, covered, asked)
    return allocation_says(record, asked)


def claim_says(claim: Record, n: int) -> Says | None:
    if n < claim["TermStart"]:
        return None
    ended = {
        "expired": n >= claim["TermStart"] + claim["TermMax"],
        "removed": happened(claim["removed"], n),
        "sector_terminated": happened(claim["terminated"], n),
        "gone": happened(claim["gone"], n),
    }
    if any(ended.values()):
        return "past", those(ended)
    return ("?", {"unknown"}) if in_between(claim, n) else ("active", {"active"})


def deal_says(deal: Record, records: Sequence[Record], covered: set[str], asked: Mapping[str, Any]) -> Says | None:
    n, end_of_programme = asked["N"], asked["R"]
    activated = deal["SectorStartEpoch"] != -1 and deal["SectorStartEpoch"] <= n
    if not activated and n < deal["first"]:
        return None
    if not deal["VerifiedDeal"]:
        return "nothing", {"unverified"}
    if not activated:
        return proposal_says(deal, n, end_of_programme)
    if end_of_programme is not None and deal["SectorStartEpoch"] >= end_of_programme:
        return "nothing", {"unclaimed"}
    ended = {
        "expired": n >= deal["EndEpoch"],
        "slashed": deal["SlashEpoch"] > -1 and n >= deal["SlashEpoch"],
        "terminated": happened(deal["terminated"], n),
        "gone": happened(deal["gone"], n),
    }
    if any(ended.values()):
        return "past", those(ended)
    if in_between(deal, n):
        return "?", {"unknown"}
    if deal["SectorStartEpoch"] >= asked["nv22"] and "claims" in covered and not claimed(deal, records, n):
        return "nothing", {"unclaimed"}
    return "active", {"active"}


def proposal_says(deal: Record, n: int, end_of_programme: int | None) -> Says:
    """A verified deal that is not activated at N."""
    if happened(deal["terminated"], n):
        return "past", {"terminated"}
    if n >= deal["StartEpoch"] and deal["SectorStartEpoch"] == -1 and deal["last"] >= deal["StartEpoch"]:
        return "nothing", {"lapsed"}
    if happened(deal["gone"], n):
        return "past", {"gone"}
    if in_between(deal, n):
        return "?", {"unknown"}
    if n >= deal["StartEpoch"]:
        return "nothing", {"lapsed"}
    if end_of_programme is not None and n >= end_of_programme:
        return "nothing", {"published"}
    return "pending", {"published"}


def allocation_says(allocation: Record, asked: Mapping[str, Any]) -> Says | None:
    n = asked["N"]
    if n < allocation["first"]:
        return None
    ended = {
        "claimed": happened(allocation["claimed"], n),
        "removed": happened(allocation["removed"], n) or happened(allocation["gone"], n),
        "expired": n >= allocation["Expiration"],
    }
    if any(ended.values()):
        return "nothing", those(ended)
    if asked["R"] is not None and n >= asked["R"]:
        return "nothing", {"pending"}
    if in_between(allocation, n) and allocation["claimed"] is None:
        return "?", {"unknown"}
    return "pending", {"pending"}


def claimed(deal: Record, records: Sequence[Record], n: int) -> bool:
    """Whether there is a claim of the same client, provider and piece by N."""
    for other in records:
        if other["is"] == "claim" and other["TermStart"] <= n:
            same = [other[field] == deal[field] for field in ("Client", "Provider", "Piece")]
            if all(same):
                return True
    return False


def in_between(record: Record, n: int) -> bool:
    """Whether N lies between the last file with the record and the first without it."""
    return record["gone"] is not None and record["last"] < n < record["gone"]


def happened(epoch: int | None, n: int) -> bool:
    return epoch is not None and epoch <= n


def those(ended: Mapping[str, bool]) -> set[str]:
    return {status for status, holds in ended.items() if holds}
