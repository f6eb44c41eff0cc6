"""What the HTTP layer asks of the layers beneath, each as a protocol. Errors are theirs, of `explorer.errors`."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta
from typing import Any, Protocol

from explorer.access.actors import Actor
from explorer.access.idempotency import Answer, Attempt, Begun
from explorer.access.service import KnownKey
from explorer.access.sessions import Session
from explorer.access.signing_in import SignedIn
from explorer.access.views import SavedView
from explorer.audit.chain import Head
from explorer.audit.reading import Page, Wanted
from explorer.index.questions import HEAD, AsOf, EvidenceRequest
from explorer.parties.naming import Role
from explorer.parties.service import Table as PartyTable
from explorer.parties.terms import Terms
from explorer.verdict.records import RecordKind

__all__ = ["EVIDENCE_KINDS", "HEAD", "Access", "AsOf", "Document", "EvidenceRequest", "Index", "PartyTable"]

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

    async def present(self) -> Document:
        """What `status` says of the head and the programme alone: `index` with `epoch` and `time`; `programme`."""

    async def ping(self) -> None:
        """Returns once the database has answered."""


class Access(Protocol):
    """Who asks. All of them raise a DatabaseError when the database does not answer."""

    async def check_key(self, key: str) -> KnownKey | None:
        """The bearer key, where it is one that was given out, an ended one too."""

    async def find_signer(self, key_id: str) -> KnownKey | None:
        """The Ed25519 key of that thumbprint, where a cluster has or had it."""

    async def note_use(self, key: KnownKey) -> None:
        """Writes down now and then that a key was used."""

    async def take_signature(self, digest: bytes, lifetime: timedelta) -> bool:
        """Whether a signed request comes for the first time."""

    async def find_session(self, token: str, *, is_attended: bool = True) -> Actor | None:
        """The notary whose session the cookie's token is. Where nobody attends, that doesn't keep it alive."""

    async def begin(self, caller: str, key: str, fingerprint: bytes) -> Begun:
        """What to do with a request that has an Idempotency-Key."""

    async def answered(self, attempt: Attempt, answer: Answer) -> None:
        """Keeps what was answered."""

    async def failed(self, attempt: Attempt) -> None:
        """Forgets an attempt that failed."""


class Parties(Protocol):
    """What is known of clients, providers and allocators. Every document fits its schema in `openapi.json`.

    All of them raise MalformedAddress, a DatabaseError when the database does not answer, and all but `allocator` what
    keeps an address from being resolved: AddressUnresolved, ActorUnknown, NodeSilent, TooManyAddresses.
    """

    async def actor_id(self, address: str) -> int:
        """The actor id of an address in any form."""

    async def is_known(self, role: Role, address: str) -> bool:
        """Whether it has any record in that role."""

    async def party(self, role: Role, address: str, *, limit: int) -> Document:
        """The document `Party`."""

    async def table(
        self, role: Role, address: str, name: str, *, of: RecordKind, cursor: str | None, limit: int
    ) -> PartyTable:
        """A table, its document `PartyTable`. Raises TableUnknown, MalformedCursor."""

    def records(
        self, role: Role, address: str, kind: RecordKind, *, terms: Terms | None
    ) -> AsyncIterator[list[Document]]:
        """All records of a kind, some at a time, with statuses by the terms of a table."""

    async def allocator(self, address: str) -> Document:
        """The document `Allocator`."""


class SignIn(Protocol):
    """Notaries signing in. All of them raise a DatabaseError when the database does not answer."""

    async def offer(self, address_text: str) -> Document:
        """The document `SignInOffer`. Raises AddressUnsuited, SignInInsecure."""

    async def sign_in(self, message: str, signature: str, *, former_token: str | None = None) -> SignedIn:
        """A new session. Raises SignedTextError, SignInRefused."""

    async def sign_out(self, token: str) -> None:
        """Ends the session of a token, if there is one."""

    async def sessions(self, address: str, token: str) -> Sequence[Session]:
        """The sessions of a notary's address that hold, the newest first; `token` is that of the one who asks."""

    async def sign_out_everywhere(self, address: str) -> None:
        """Ends every session of the notary of an address."""


class Views(Protocol):
    """What notaries saved. All of them raise a DatabaseError when the database does not answer."""

    async def of(self, notary: Actor, /) -> list[SavedView]:
        """The notary's views."""

    async def save(self, notary: Actor, view: SavedView, /, *, replaces: bool = False) -> None:
        """Keeps one more, or another one under the same name. Raises NameRefused, TooManyViews, ViewExists."""

    async def remove(self, notary: Actor, page: str, name: str, /) -> None:
        """Forgets one."""


class AuditLog(Protocol):
    """What was done, by whom."""

    async def page(self, wanted: Wanted) -> tuple[Page, Head | None]:
        """The wanted entries, and where the log ended then. Raises MalformedCursor, DatabaseError."""


class Webhooks(Protocol):
    """Who is told, and what was delivered. Every document fits its schema in `openapi.json`.

    All of them raise a DatabaseError when the database does not answer; those with an id EndpointUnknown or
    DeliveryUnknown; those that change something EndpointRefused where it can't be done as things stand.
    """

    async def webhooks(self) -> Document:
        """The document `Webhooks`."""

    async def webhook(self, endpoint_id: str, /) -> Document:
        """The document `Webhook`."""

    async def add(self, url: str, types: Collection[str] | None, *, actor: Actor) -> Document:
        """The document `WebhookSecret`, the secret this once. Raises UrlRefused."""

    async def remove(self, endpoint_id: str, /, *, actor: Actor) -> None:
        """Removes it."""

    async def rotate(self, endpoint_id: str, overlap: timedelta, /, *, actor: Actor) -> Document:
        """The document `WebhookSecret`, the new secret this once."""

    async def enable(self, endpoint_id: str, /, *, actor: Actor) -> Document:
        """The document `Webhook`."""

    async def test(self, endpoint_id: str, /) -> Document:
        """The document `Delivery` of a message that is on its way."""

    async def deliveries(
        self, endpoint_id: str | None, /, *, state: str | None, cursor: str | None, limit: int
    ) -> Document:
        """The document `Deliveries`. Raises MalformedCursor."""

    async def delivery(self, delivery_id: int, /) -> Document:
        """The document `DeliveryLog`."""

    async def queue(self) -> Document:
        """The property `alerts` of a Status's `queues`."""

    async def replay(self, delivery_id: int, /, *, actor: Actor) -> Document:
        """The document `Delivery`, pending."""
