"""Recognises who asks: by a key, a signature over the request, or a session.

    credential ─► well formed? ─► few wrong ones from there? ─► known? ─► holds? ─► its rate

Nothing is remembered of a credential but that it was good lately, and that only spares it the limit for strangers.
"""

import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aiohttp import web
from prometheus_client import Counter

from explorer.access.actors import Actor
from explorer.access.errors import SignInRefused
from explorer.access.keys import is_key
from explorer.access.service import KnownKey
from explorer.signatures.errors import SignedRequestError
from explorer.signatures.http_messages import TOLERANCE, demand_digest, read_signature
from explorer.web.bodies import read_body
from explorer.web.buckets import Buckets, Taken
from explorer.web.config import WebConfig
from explorer.web.cookies import demand_own_page
from explorer.web.credentials import BearerKey, Credential, RequestSignature, SessionToken, signed_message
from explorer.web.ports import Access
from explorer.web.problems import Problem, unauthorized

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_ACQUAINTED: Final = 4096

UNATTENDED: Final = "Filplus-Unattended"
"""The header of what an open page asks by itself: it doesn't keep a session from becoming idle."""

RATE: web.RequestKey[Taken] = web.RequestKey("RATE", Taken)


@dataclass(frozen=True, slots=True)
class Holding:
    """Tells, of a request that was let in, whether its credential would be let in now. Asking is no use of it."""

    still_holds: Callable[[], Awaitable[bool]]


HOLDING: web.RequestKey[Holding] = web.RequestKey("HOLDING", Holding)


@dataclass(slots=True, eq=False)
class Doorkeeper:
    """Recognises who asks. Its limits are those of this process."""

    access: Access | None
    config: WebConfig
    keys: Buckets = field(init=False)
    sessions: Buckets = field(init=False)
    strangers: Buckets = field(init=False)
    signers: Buckets = field(init=False)
    _acquainted: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _refusals: Counter = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Buckets(self.config.limits.key_rate)
        self.sessions = Buckets(self.config.limits.session_rate, "session")
        self.strangers = Buckets(self.config.limits.stranger_rate)
        self.signers = Buckets(self.config.limits.stranger_rate)
        self._refusals = Counter(
            "filplus_access_refusals", "Requests that were not let in.", ("reason",), registry=self.config.registry
        )

    def refused(self, reason: str) -> None:
        """Counts a refusal."""
        self._refusals.labels(reason).inc()

    async def recognise(self, request: web.Request, credential: Credential) -> Actor:
        """Who the credential's holder is, or the problem with it."""
        match credential:
            case BearerKey(text=text):
                return await self._by_key(request, text)
            case RequestSignature():
                return await self._by_signature(request)
            case SessionToken(text=text):
                return await self._by_session(request, text)

    async def _by_key(self, request: web.Request, text: str) -> Actor:
        if not is_key(text):
            raise unauthorized("malformed_key", "That is no key: its characters or its checksum are wrong.")
        mark = _mark(text)
        self._demand_acquainted(request, mark)
        access = self._access()
        known = await access.check_key(text)
        if known is None:
            self._blame(request)
            raise unauthorized("unknown_key", "No cluster has that key.")
        request[HOLDING] = Holding(partial(_key_holds, access.check_key, text))
        return await self._let_in(request, access, known, mark)

    async def _by_signature(self, request: web.Request) -> Actor:
        """The headers are judged first, then the key, then the body, so that strangers can't make it be read."""
        message = signed_message(request, self.config.public_url)
        with _signature_problems():
            signed = read_signature(message, now=self.config.now())
        mark = _mark(signed.key_id, _peer(request))  # a keyid is no secret
        self._demand_acquainted(request, mark)
        access = self._access()
        known = await access.find_signer(signed.key_id)
        if known is None or known.public_key is None:
            self._blame(request)
            raise unauthorized("unknown_key", "No cluster has the key that keyid names.")
        try:
            with _signature_problems():
                signed.demand_signed_by(known.public_key)
        except Problem:
            self._blame(request)
            raise
        if "content-digest" in message.fields:  # where there is a body, it is covered; where there was one, it is gone
            body = await read_body(request, self.config.limits)
            with _signature_problems():
                demand_digest(message.fields["content-digest"], body)
        request[HOLDING] = Holding(partial(_key_holds, access.find_signer, signed.key_id))
        return await self._let_in(request, access, known, mark, once=signed.digest())

    async def _by_session(self, request: web.Request, token: str) -> Actor:
        mark = _mark(token)
        self._demand_acquainted(request, mark)
        access = self._access()
        actor = await access.find_session(token, is_attended=UNATTENDED not in request.headers)
        if actor is None:
            self._blame(request)
            raise unauthorized("ended_session", "The session is over, or was never there.")
        if request.method not in _SAFE_METHODS:
            demand_own_page(request)
        request[HOLDING] = Holding(partial(_session_holds, access, token))
        self._acquaint(mark)
        self._pace(request, self.sessions, "notary", actor.id)
        return actor

    async def _let_in(
        self, request: web.Request, access: Access, known: KnownKey, mark: bytes, *, once: bytes | None = None
    ) -> Actor:
        if known.has_ended is not None:
            self._blame(request)
            raise unauthorized("ended_key", f"The key {known.id} {known.has_ended}.")
        self._acquaint(mark)
        if once is not None and request.method not in _SAFE_METHODS:
            await self._take_once(access, once)
        self._pace(request, self.keys, "key", known.id)
        await access.note_use(known)
        return known.actor

    async def _take_once(self, access: Access, digest: bytes) -> None:
        """A request isn't taken again until it would be too old, wherever the two clocks stand."""
        if not await access.take_signature(digest, 2 * TOLERANCE):
            raise unauthorized("replayed_signature", "A request with this signature was taken before.")

    def _access(self) -> Access:
        if self.access is None:
            raise unauthorized("unknown_key", "Nobody is known here.")
        return self.access

    def _pace(self, request: web.Request, buckets: Buckets, kind: str, name: str) -> None:
        taken = request[RATE] = buckets.take(name, time.monotonic())
        if not taken.allowed:
            raise _too_many(taken, f"One {kind} may send {taken.rate.per_minute:g} requests a minute.")

    def _demand_acquainted(self, request: web.Request, mark: bytes) -> None:
        """Returns unless too many wrong credentials came from there, and this one was not good lately."""
        if mark not in self._acquainted:
            taken = self.strangers.look(_peer(request), time.monotonic())
            if not taken.allowed:
                raise _too_many(taken, "Too many wrong credentials came from your address.")

    def _acquaint(self, mark: bytes) -> None:
        self._acquainted[mark] = None
        self._acquainted.move_to_end(mark)
        if len(self._acquainted) > _ACQUAINTED:
            self._acquainted.popitem(last=False)

    @contextmanager
    def watching(self, request: web.Request, name: str) -> Iterator[None]:
        """Counts what is refused inside against that name from there; a problem where there was too much of it."""
        taker = f"{_peer(request)} {name}"
        taken = self.signers.look(taker, time.monotonic())
        if not taken.allowed:
            raise _too_many(taken, f"Too many wrong signatures in the name of {name} came from your address.")
        try:
            yield
        except (Problem, SignInRefused):
            self.signers.take(taker, time.monotonic())
            raise

    def _blame(self, request: web.Request) -> None:
        self.strangers.take(_peer(request), time.monotonic())


async def _key_holds(find: Callable[[str], Awaitable[KnownKey | None]], text: str) -> bool:
    known = await find(text)
    return known is not None and known.has_ended is None


async def _session_holds(access: Access, token: str) -> bool:
    return await access.find_session(token, is_attended=False) is not None


DOORKEEPER = web.AppKey("doorkeeper", Doorkeeper)


def _too_many(taken: Taken, detail: str) -> Problem:
    return Problem("too_many_requests", detail, headers={"Retry-After": str(taken.next_in_s)})


@contextmanager
def _signature_problems() -> Iterator[None]:
    try:
        yield
    except SignedRequestError as error:
        raise unauthorized("refused_signature", f"The request's signature is refused: {error}.") from error


def _mark(*texts: str) -> bytes:
    """What is remembered of a credential: nothing that could be used."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).digest()


def _peer(request: web.Request) -> str:
    """Where a request comes from: an IPv4 address, or the network of an IPv6 one, whose holder has all of it."""
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)
