"""What the HTTP layer asks of the index. Errors are those of `explorer.errors`."""

from collections.abc import Sequence
from typing import Any, Protocol

from explorer.index.questions import HEAD, AsOf, EvidenceRequest

__all__ = ["EVIDENCE_KINDS", "HEAD", "AsOf", "Document", "EvidenceRequest", "Index"]

Document = dict[str, Any]
"""A JSON document: what the API prints and the pages are rendered from."""

EVIDENCE_KINDS = ("claims", "deals", "allocations")


class Index(Protocol):
    """Answers from what was indexed. Every document fits its schema in `openapi.json`.

    All of them raise a DatabaseError when the database does not answer.
    """

    async def verdict(self, cid: str, *, at: AsOf, evidence: EvidenceRequest) -> Document:
        """The document `Verdict`. Raises MalformedCid, MalformedEpoch, EpochNotIndexed, MalformedCursor."""

    async def verdicts(self, cids: Sequence[str], *, at: AsOf) -> Document:
        """The document `Verdicts`, in the order asked, a malformed CID as a row with its error."""

    async def describe(self, cid: str) -> Document:
        """The document `CidDescription`. Raises MalformedCid."""

    async def deal(self, deal_id: int) -> Document:
        """The document `Deal`. Raises NotFound."""

    async def claim(self, claim_id: int) -> Document:
        """The document `Claim`. Raises NotFound."""

    async def allocation(self, allocation_id: int) -> Document:
        """The document `Allocation`. Raises NotFound."""

    async def status(self) -> Document:
        """The document `Status`."""

    async def ping(self) -> None:
        """Returns once the database has answered."""
