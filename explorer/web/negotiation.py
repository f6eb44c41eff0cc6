"""Which representation a request wants (RFC 9110 §12.5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from explorer.web.problems import Problem, shortened

JSON = "application/json"
NDJSON = "application/x-ndjson"
HTML = "text/html"
CSV = "text/csv"
EVENT_STREAM = "text/event-stream"

_BY_FORMAT = {"json": JSON, "html": HTML, "csv": CSV, "ndjson": NDJSON}


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One entry of an Accept header: `text/html`, `text/*` or `*/*`, with its weight from 0 to 1."""

    kind: str
    subtype: str
    weight: float

    def specificity(self, media_type: str) -> int | None:
        """How exactly this range names the type: 2 exactly, 1 by kind, 0 as anything, None not at all."""
        kind, _, subtype = media_type.partition("/")
        if self.kind == "*":
            return 0
        if self.kind != kind:
            return None
        return 1 if self.subtype == "*" else 2 if self.subtype == subtype else None


def parse_accept(header: str) -> list[MediaRange]:
    """The ranges of an Accept header. Entries that make no sense are left out."""
    ranges = []
    for entry in header.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        kind, slash, subtype = name.partition("/")
        if slash and kind and subtype:
            ranges.append(MediaRange(kind, subtype, _weight(parameters)))
    return ranges


def _weight(parameters: Sequence[str]) -> float:
    text = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return min(max(weight, 0.0), 1.0) if weight == weight else 0.0  # noqa: PLR0124  (NaN)


def weight_of(media_type: str, ranges: Sequence[MediaRange]) -> float:
    """The weight of the most specific range that names the type; 0 when none does."""
    matches = [(found, r.weight) for r in ranges if (found := r.specificity(media_type)) is not None]
    return max(matches)[1] if matches else 0.0


def best_type(header: str | None, offers: Sequence[str]) -> str | None:
    """The offered type that the header likes best, the first offered among equals; None when it takes none of them."""
    ranges = parse_accept(header or "")
    if not ranges:
        return offers[0]
    best = max(offers, key=lambda offer: weight_of(offer, ranges))
    return best if weight_of(best, ranges) > 0 else None


def accept_of(request: web.BaseRequest) -> str | None:
    """The request's Accept headers as one; None without any."""
    return ",".join(request.headers.getall("Accept", [])) or None


def chosen_type(request: web.Request, *offers: str) -> str:
    """The offered type to answer with. Raises the problem `not_acceptable`."""
    header = accept_of(request)
    best = best_type(header, offers)
    if best is None:
        detail = f"This address answers {' or '.join(offers)}, but Accept is {shortened(header or '', 60)!r}."
        raise Problem("not_acceptable", detail, header)
    return best


def representation(request: web.Request, *others: str) -> str:
    """JSON, HTML or one of the others: what the parameter `format` says, else what Accept does. Raises the problem
    `not_acceptable`.

    A format that the address has not is refused where the query is read.
    """
    return _BY_FORMAT.get(request.query.get("format", "")) or chosen_type(request, JSON, HTML, *others)


def prefers_page(request: web.BaseRequest) -> bool:
    """Whether errors should be shown as a page."""
    named = _BY_FORMAT.get(request.rel_url.query.get("format", ""))
    return (named or best_type(accept_of(request), (JSON, HTML))) == HTML
