"""The verdict in one sentence, for people and logs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from explorer.verdict.decide import Judged, Verdict
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord
from explorer.verdict.rules import Counts

AnyRecord = ClaimRecord | DealRecord | AllocationRecord

_NOUNS = {ClaimRecord: "claim", DealRecord: "deal", AllocationRecord: "allocation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was asked about: `kind` as in the API, which `empty` content it is, if so, and how many pieces hold it."""

    kind: str
    empty: str | None = None
    pieces: int = 0

    @property
    def refusal(self) -> str | None:
        """Why the chain can't answer for such a CID; None if it can."""
        if self.empty:
            return f"this is the CID of {self.empty}, which everybody has"
        if self.kind == "inline":
            return "an identity CID carries its data in itself, so nobody needs to store it"
        if self.kind == "sealed":
            return "a sealed sector's CID is one provider's own encoding; deals and claims name the unsealed piece"
        return None


def reason(verdict: Verdict, subject: Subject, epoch: int | None, *, retires_at_epoch: int | None = None) -> str:
    """One sentence that says what the verdict rests on, and what it leaves open.

    `retires_at_epoch`: the first epoch at network version 29, where it is known.
    """
    if subject.refusal:
        return f"Not known: {subject.refusal}."
    if epoch is None:
        return "Not known: the index is empty."
    parts = [
        _sentence(verdict, subject, epoch),
        *_retirement(verdict, epoch, retires_at_epoch),
        *_cautions(verdict, subject),
        *_hole(verdict, epoch),
    ]
    return "; ".join(parts) + "."


def _sentence(verdict: Verdict, subject: Subject, epoch: int) -> str:
    if verdict.name == "active":
        return f"FIL+: {_counted(verdict, Counts.ACTIVE)}, {_until(verdict)}"
    if verdict.name == "pending":
        return f"Not FIL+ yet: {_counted(verdict, Counts.PENDING)}, not yet active"
    if verdict.name == "past":
        return f"No longer FIL+: {_counted(verdict, Counts.PAST)}, {_ended(verdict, epoch)}"
    found = _found(verdict)
    if verdict.name == "none":
        return f"Not FIL+: {found}, and the index holds every record that could at epoch {epoch}"
    if subject.kind == "payload" and not subject.pieces:
        found += " (this is a payload CID: claims name pieces, and no deal label or imported map names its piece)"
    return f"Not known: {found}"


def _counted(verdict: Verdict, counts: Counts) -> str:
    """Such as "2 active claims and 1 expired deal"."""
    kinds = Counter((one.standing.status, _NOUNS[type(one.record)]) for one in _worth(verdict, counts))
    return _joined(_plural(number, f"{status.replace('_', ' ')} {noun}") for (status, noun), number in kinds.items())


def _found(verdict: Verdict) -> str:
    """What there is although nothing counts."""
    if not verdict.tally[Counts.NOTHING]:
        return "no claim, allocation or verified deal was found"
    return f"nothing that counts was found, only {_counted(verdict, Counts.NOTHING)}"


def _until(verdict: Verdict) -> str:
    """When the last of the active ones ends by its own dates."""
    worth = _worth(verdict, Counts.ACTIVE)
    last = max(_end_epoch(one.record) for one in worth)
    return f"{'until' if len(worth) == 1 else 'the longest until'} epoch {last}"


def _ended(verdict: Verdict, epoch: int) -> str:
    """When the last of the past ones had ended: by its own dates, by an event, or by the first file without it."""
    worth = _worth(verdict, Counts.PAST)
    last = max(min(end for end in _ends(one.record) if end <= epoch) for one in worth)
    return f"{'ended' if len(worth) == 1 else 'the last ended'} by epoch {last}"


def _ends(record: AnyRecord) -> list[int]:
    """Every epoch at which the record may have ended."""
    if isinstance(record, ClaimRecord):
        ends = [record.expires_epoch, record.removed_epoch, record.sector_terminated_epoch, record.gone_epoch]
    elif isinstance(record, DealRecord):
        slash_epoch = record.slash_epoch if record.slash_epoch >= 0 else None
        ends = [record.end_epoch, record.terminated_epoch, slash_epoch, record.gone_epoch]
    else:
        ends = [record.expiration_epoch, record.claimed_epoch, record.removed_epoch, record.gone_epoch]
    return [end for end in ends if end is not None]


def _end_epoch(record: AnyRecord) -> int:
    if isinstance(record, ClaimRecord):
        return record.expires_epoch
    return record.end_epoch if isinstance(record, DealRecord) else record.expiration_epoch


def _worth(verdict: Verdict, counts: Counts) -> list[Judged[AnyRecord]]:
    everything: list[Judged[AnyRecord]] = [*verdict.claims, *verdict.deals, *verdict.allocations]  # type: ignore[list-item]
    return [one for one in everything if one.standing.counts is counts]


def _retirement(verdict: Verdict, epoch: int, retires_at_epoch: int | None) -> list[str]:
    """That FIL+ is over, where that is why a record counts as nothing and the verdict could else be another one."""
    if retires_at_epoch is None or epoch < retires_at_epoch or verdict.name == "active":
        return []
    if not any(_is_too_late(one, retires_at_epoch) for one in _worth(verdict, Counts.NOTHING)):
        return []
    return [f"FIL+ ended at epoch {retires_at_epoch}, and what had not spent its DataCap by then counts as nothing"]


def _is_too_late(one: Judged[AnyRecord], retires_at_epoch: int) -> bool:
    """Whether a record that counts as nothing does so because FIL+ is over."""
    if isinstance(one.record, DealRecord) and one.standing.status == "unclaimed":
        return one.record.sector_start_epoch >= retires_at_epoch
    return one.standing.status in {"pending", "published"}


def _cautions(verdict: Verdict, subject: Subject) -> list[str]:
    """What the evidence does not say."""
    cautions = []
    if any(one.standing.counts is Counts.ACTIVE for one in verdict.claims):
        cautions.append("a claim says that DataCap was spent on the piece, not that it is still stored")
    if subject.kind == "payload" and verdict.name in {"active", "pending", "past"}:
        cautions.append("that the piece holds this payload is the word of a deal's client or of an imported map")
    return cautions


def _hole(verdict: Verdict, epoch: int) -> list[str]:
    """What may be missing, if anything: the kinds in one breath, then every other gap."""
    kinds = [f"not all {_joined(verdict.missing)} of epoch {epoch} are indexed"] if verdict.missing else []
    return [*kinds, *verdict.gaps[len(verdict.missing) :]]


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def _joined(parts: Iterable[str]) -> str:
    *first, last = list(parts)
    return f"{', '.join(first)} and {last}" if first else last
