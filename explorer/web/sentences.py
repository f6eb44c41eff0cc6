"""The verdict in words, for a reader who wants one sentence; what its reason adds to that; how far the index is."""

from explorer.web.evidence import Span, is_partial, spans_of
from explorer.web.formats import EpochClock, day, plural
from explorer.web.ports import EVIDENCE_KINDS, Document


def headline(document: Document, clock: EpochClock | None) -> str:
    """The verdict as a sentence: `FIL+ since 14 March 2024: 3 claims, the longest until 2 May 2026.`"""
    spans = spans_of(document["evidence"], asked_epoch=document["as_of"]["epoch"])
    match document["verdict"]:
        case "active":
            return _active(document["evidence"], spans, clock)
        case "pending":
            return _pending(document["evidence"])
        case "past":
            return _past(spans, clock)
        case "none":
            return "Not FIL+: nothing on record counts, and the index covers everything that could."
        case _ if document["kind"] in ("inline", "sealed"):
            return "Not known: the chain cannot answer for a CID of this kind."
        case _:
            return "Not known: nothing that counts was found, and the index cannot see everywhere it could be."


def beyond_headline(document: Document) -> str:
    """What the reason says that the headline does not: all but its first clause where both say the same; maybe ""."""
    reason: str = document["reason"]
    return reason.partition("; ")[2] if _headline_says_it(document) else reason


def _headline_says_it(document: Document) -> bool:
    """Whether the headline has the records' numbers and dates, as the reason's first clause does."""
    evidence = document["evidence"]
    match document["verdict"]:
        case "active" | "past":
            spans = spans_of(evidence, asked_epoch=document["as_of"]["epoch"])
            return any(document["verdict"] == "past" or span.status == "active" for span in spans)
        case "pending":
            return bool(evidence["allocations"]["items"] or evidence["deals"]["items"])
        case "none":
            return not any(evidence[kind]["total"] for kind in EVIDENCE_KINDS)
        case _:
            return False


def reach(node: Document | None) -> str:
    """How the index stands to the head of the chain, in words; empty where nobody can say.

    `level` is only said while a node is heard: one that is silent may be at any epoch.
    """
    if node is None or node["lag_epochs"] is None:
        return ""
    if node["lag_epochs"]:
        return f"the index is {plural(node['lag_epochs'], 'epoch')} behind"
    return "" if node.get("error") else "the index is level with it"


def _active(evidence: Document, spans: list[Span], clock: EpochClock | None) -> str:
    active = [span for span in spans if span.status == "active"]
    counted = _counted(evidence, "active")
    if not active:
        return f"FIL+: {counted}."
    since = _date(min(span.start_epoch for span in active), clock)
    until = _date(max(span.end_epoch for span in active), clock)
    at_least = "at least " if is_partial(evidence) else ""
    longest = "the longest until" if len(active) > 1 else "until"
    return f"FIL+ since {at_least}{since}: {counted}, {longest} {until}."


def _counted(evidence: Document, key: str) -> str:
    parts = [plural(evidence[f"{word}s"][key], word) for word in ("claim", "deal") if evidence[f"{word}s"][key]]
    return " and ".join(parts) or "one record"


def _pending(evidence: Document) -> str:
    waiting = (("allocations", "pending", "allocation", "claimed"), ("deals", "published", "deal", "activated"))
    parts = []
    for kind, status, word, done in waiting:
        if number := sum(record["status"] == status for record in evidence[kind]["items"]):
            parts.append(f"{plural(number, word)} to be {done}")
    return f"Not FIL+ yet: waiting for {' and '.join(parts) or 'a storage provider'}."


def _past(spans: list[Span], clock: EpochClock | None) -> str:
    if not spans:
        return "Was FIL+: nothing of it is active any more."
    start = _date(min(span.start_epoch for span in spans), clock)
    return f"Was FIL+ from {start}: {_record_words(spans)}, none active any more."


def _record_words(spans: list[Span]) -> str:
    kinds = ("claim", "deal")
    numbers = {kind: sum(span.kind == kind for span in spans) for kind in kinds}
    return " and ".join(plural(numbers[kind], kind) for kind in kinds if numbers[kind])


def _date(epoch: int, clock: EpochClock | None) -> str:
    moment = None if clock is None else clock.time_of(epoch)
    return f"epoch {epoch}" if moment is None else day(moment)
