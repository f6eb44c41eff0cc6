"""Small histories of a chain, what sources tell of them, and what an index must know from these sources.

A history is lived between epochs 0 and about 40. A message of height h shows in the state of epoch h + 1. What the
index must know is worked out from all sources at once, so it can't depend on their order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.verdict.coverage import Coverage, Span
from explorer.verdict.records import AllocationRecord, ClaimRecord, DealRecord, Evidence, RecordKind
from node.event_types import (
    AllocationCreated,
    AllocationRemoved,
    ClaimCreated,
    ClaimEvent,
    ClaimRemoved,
    ClaimUpdated,
    DealActivated,
    DealPublished,
    DealTerminated,
    Payload,
    SectorTerminated,
)
from tests.unit.index.dumps import allocation_entry, claim_entry, commitment, deal_entry, payload_cid, piece_cid

SIZE = 2**35
PROVIDER = 1000
Sight = tuple[int, dict[str, Any]]
"""An epoch, and a record as it stood in its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealStory:
    """A deal: `left` is the height at which it left the state, `terminated` whether an event says why."""

    id: int
    piece: int
    client: int
    published: int
    start: int
    end: int
    verified: bool = True
    activated: int | None = None
    slashed: int | None = None
    left: int | None = None
    terminated: bool = False

    def at(self, epoch: int) -> dict[str, Any] | None:
        """The entry in the state of that epoch."""
        if epoch <= self.published or (self.left is not None and epoch > self.left):
            return None
        state = {"SectorStartEpoch": _done(self.activated, epoch), "SlashEpoch": _done(self.slashed, epoch)}
        return deal_entry(
            self.piece,
            state=state,
            Client=f"f0{self.client}",
            Label=payload_cid(self.id).to_text(),
            StartEpoch=self.start,
            EndEpoch=self.end,
            VerifiedDeal=self.verified,
        )

    def events(self) -> list[tuple[Payload, int]]:
        parties = (self.id, self.client, PROVIDER)
        told: list[tuple[Payload, int]] = [(DealPublished(*parties), self.published)]
        if self.activated is not None:
            told.append((DealActivated(*parties), self.activated))
        if self.left is not None and self.terminated:
            told.append((DealTerminated(*parties), self.left))
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStory:
    """A claim, with the heights at which its term grew."""

    id: int
    piece: int
    client: int
    created: int
    terms: tuple[tuple[int, int], ...]
    """Heights and the TermMax from there on; the first is the creation's."""
    removed: int | None = None
    sector_terminated: int | None = None

    def at(self, epoch: int) -> dict[str, Any] | None:
        if epoch <= self.created or (self.removed is not None and epoch > self.removed):
            return None
        term = [term for height, term in self.terms if height < epoch][-1]
        return claim_entry(
            self.piece, Client=self.client, TermMin=1, TermMax=term, TermStart=self.created, Sector=self.id
        )

    def events(self) -> list[tuple[Payload, int]]:
        told: list[tuple[Payload, int]] = [
            (self._event(ClaimUpdated if height > self.created else ClaimCreated, term), height)
            for height, term in self.terms
        ]
        if self.removed is not None:
            told.append((self._event(ClaimRemoved, self.terms[-1][1]), self.removed))
        if self.sector_terminated is not None:
            told.append((SectorTerminated(self.id), self.sector_terminated))
        return told

    def _event(self, kind: type[ClaimEvent], term: int) -> ClaimEvent:
        return kind(self.id, self.client, PROVIDER, piece_cid(self.piece), SIZE, 1, term, self.created, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationStory:
    """An allocation: `claimed` and `removed` are heights."""

    id: int
    piece: int
    client: int
    created: int
    expiration: int
    claimed: int | None = None
    removed: int | None = None

    def at(self, epoch: int) -> dict[str, Any] | None:
        left = self.claimed if self.claimed is not None else self.removed
        if epoch <= self.created or (left is not None and epoch > left):
            return None
        return allocation_entry(self.piece, Client=self.client, TermMin=1, TermMax=9, Expiration=self.expiration)

    def events(self) -> list[tuple[Payload, int]]:
        fields = (self.id, self.client, PROVIDER, piece_cid(self.piece), SIZE, 1, 9, self.expiration)
        told: list[tuple[Payload, int]] = [(AllocationCreated(*fields), self.created)]
        if self.removed is not None:
            told.append((AllocationRemoved(*fields), self.removed))
        return told


Story = DealStory | ClaimStory | AllocationStory
KIND_OF: Mapping[type[Story], RecordKind] = {
    DealStory: "deals",
    ClaimStory: "claims",
    AllocationStory: "allocations",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A dump of one kind at an epoch; a partial one lacks the ids in `without`."""

    kind: RecordKind
    epoch: int
    complete: bool
    without: frozenset[int] = frozenset()
    labels_lost: bool = False

    def entries(self, history: Iterable[Story]) -> dict[int, dict[str, Any]]:
        """What the file holds, by id."""
        found = {}
        for story in history:
            entry = story.at(self.epoch) if KIND_OF[type(story)] == self.kind else None
            if entry is None or (not self.complete and story.id in self.without):
                continue
            if self.labels_lost and "Proposal" in entry:
                entry["Proposal"]["Label"] = ""
            found[story.id] = entry
        return found


@dataclass(frozen=True, slots=True)
class EventSource:
    """A recording of some events, each with its height."""

    events: tuple[tuple[Payload, int], ...]


Source = FileSource | EventSource


def coverage_of(sources: Iterable[Source]) -> Coverage:
    """What the complete files among the sources cover."""
    files = {(one.kind, one.epoch) for one in sources if isinstance(one, FileSource) and one.complete}
    return Coverage(tuple(Span(kind=k, from_epoch=e, through_epoch=e, source="file") for k, e in sorted(files)))


def evidence_of(history: Iterable[Story], sources: Iterable[Source], epoch: int) -> dict[bytes, Evidence]:
    """What an index over the sources must know of each piece; terms as of `epoch`."""
    stories, told = list(history), list(sources)
    claims = [_claim(one, stories, told, epoch) for one in stories if isinstance(one, ClaimStory)]
    starts = {one.id: one.term_start_epoch for one in claims if one}
    deals = [_deal(one, stories, told) for one in stories if isinstance(one, DealStory)]
    allocations = [_allocation(one, stories, told, starts) for one in stories if isinstance(one, AllocationStory)]
    pieces = {commitment(one.piece) for one in stories}
    return {
        piece: Evidence(
            claims=tuple(one for one in claims if one and one.piece == piece),
            deals=tuple(one for one in deals if one and one.piece == piece),
            allocations=tuple(one for one in allocations if one and one.piece == piece),
        )
        for piece in pieces
    }


def labels_told(history: Iterable[Story], sources: Iterable[Source]) -> dict[int, int]:
    """The pieces of the verified deals whose label some file tells, by deal id."""
    stories, told = list(history), list(sources)
    return {
        one.id: one.piece
        for one in stories
        if isinstance(one, DealStory)
        and one.verified
        and any(entry["Proposal"]["Label"] for _, entry in _sights(one, stories, told))
    }


def _claim(story: ClaimStory, history: list[Story], sources: list[Source], epoch: int) -> ClaimRecord | None:
    sights = _sights(story, history, sources)
    if not sights:
        return None
    removed, gone = _end(story, sights, sources, ClaimRemoved)
    before = [sight for sight in sights if sight[0] <= epoch]
    terminated = [h for event, h in _told(story, sources) if isinstance(event, SectorTerminated) and h >= story.created]
    return ClaimRecord(
        id=story.id,
        client_id=story.client,
        provider_id=PROVIDER,
        piece=commitment(story.piece),
        size_bytes=SIZE,
        term_min_epochs=1,
        term_max_epochs=(before[-1] if before else sights[0])[1]["TermMax"],
        term_start_epoch=story.created,
        sector=story.id,
        seen_epoch=sights[-1][0],
        removed_epoch=removed,
        sector_terminated_epoch=min(terminated) + 1 if terminated else None,
        gone_epoch=gone,
    )


def _deal(story: DealStory, history: list[Story], sources: list[Source]) -> DealRecord | None:
    sights = _sights(story, history, sources)
    if not sights:
        return None
    told = {type(event): height for event, height in _told(story, sources)}
    state = sights[-1][1]["State"]
    activated = state["SectorStartEpoch"]
    return DealRecord(
        id=story.id,
        client_id=story.client,
        provider_id=PROVIDER,
        piece=commitment(story.piece),
        size_bytes=SIZE,
        label=b"",
        label_known=True,
        verified=story.verified,
        start_epoch=story.start,
        end_epoch=story.end,
        sector_start_epoch=activated if activated >= 0 else told.get(DealActivated, -1),
        slash_epoch=state["SlashEpoch"],
        first_seen_epoch=min(sights[0][0], told.get(DealPublished, sights[0][0]) + 1),
        seen_epoch=sights[-1][0],
        terminated_epoch=told[DealTerminated] + 1 if DealTerminated in told else None,
        gone_epoch=_gone("deals", sights, sources),
    )


def _allocation(
    story: AllocationStory, history: list[Story], sources: list[Source], claim_starts: Mapping[int, int]
) -> AllocationRecord | None:
    sights = _sights(story, history, sources)
    if not sights:
        return None
    removed, gone = _end(story, sights, sources, AllocationRemoved)
    return AllocationRecord(
        id=story.id,
        client_id=story.client,
        provider_id=PROVIDER,
        piece=commitment(story.piece),
        size_bytes=SIZE,
        term_min_epochs=1,
        term_max_epochs=9,
        expiration_epoch=story.expiration,
        first_seen_epoch=sights[0][0],
        seen_epoch=sights[-1][0],
        claimed_epoch=claim_starts.get(story.id),
        removed_epoch=removed,
        gone_epoch=gone,
    )


def _sights(story: Story, history: list[Story], sources: list[Source]) -> list[Sight]:
    """Where the sources saw the record, oldest first: an event at h saw it at h + 1, a removal at h."""
    kind = KIND_OF[type(story)]
    files = [source for source in sources if isinstance(source, FileSource) and source.kind == kind]
    held = [(file.epoch, file.entries(history).get(story.id)) for file in files]
    seen: list[Sight] = [(epoch, entry) for epoch, entry in held if entry]
    if not isinstance(story, DealStory):
        for event, height in _told(story, sources):
            epoch = height if isinstance(event, ClaimRemoved | AllocationRemoved) else height + 1
            entry = story.at(epoch) if not isinstance(event, SectorTerminated) else None
            seen += [(epoch, entry)] if entry else []
    return sorted(seen, key=lambda sight: sight[0])


def _told(story: Story, sources: list[Source]) -> list[tuple[Payload, int]]:
    """The events of this record that sources hold."""
    ours = story.events()
    return [told for source in sources if isinstance(source, EventSource) for told in source.events if told in ours]


def _end(
    story: Story, sights: list[Sight], sources: list[Source], removal: type[Payload]
) -> tuple[int | None, int | None]:
    """When the record was removed, by an event, and if none tells, when a complete file first lacks it."""
    removed = [height + 1 for event, height in _told(story, sources) if isinstance(event, removal)]
    return (removed[0], None) if removed else (None, _gone(KIND_OF[type(story)], sights, sources))


def _gone(kind: RecordKind, sights: list[Sight], sources: list[Source]) -> int | None:
    return coverage_of(sources).after(kind, sights[-1][0])


def _done(height: int | None, epoch: int) -> int:
    """How the state of `epoch` writes what happened at that height."""
    return height if height is not None and height < epoch else -1
