"""One node of several: whether it is used now, whether it is of the right network, and what it cannot do.

unproven ──identity fits──► in use ──transient error, garbled answer──► at rest, twice as long each time ──► unproven
    └────identity is another──► at rest, asked for nothing, a little longer each time ──► unproven

Each of these steps is logged once; what a node answers in between is not.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from node.chain.errors import (
    BadEndpoint,
    BadRequest,
    ChainError,
    GarbledAnswer,
    MethodMissing,
    ModuleDisabled,
    RequestFailed,
    TokenRefused,
    TransientError,
    WrongNetwork,
)
from node.chain.results import NetworkIdentity
from node.errors import FilecoinError
from node.lotus import decoding
from node.lotus.expected import Gate
from node.lotus.faults import error_of
from node.lotus.hearing import Ailment, Hearing
from node.lotus.json_stream import Member, ResultMembers
from node.lotus.limits import Retries, retry_after_s
from node.lotus.transport import Call, RpcFault, Transport

Clock = Callable[[], float]
"""Seconds that only grow, such as `time.monotonic`."""

T = TypeVar("T")
E = TypeVar("E", bound=ChainError)

_log = structlog.get_logger(__name__)

# Errors that say that the node can't be used as it is, whatever it is asked.
_USELESS = (TransientError, GarbledAnswer, WrongNetwork, TokenRefused, BadEndpoint)
# How a node refuses batches as such: by an error for the whole, by HTTP 400 or 413, or as a method that it has not.
_NO_BATCHES = (BadRequest, RequestFailed, MethodMissing)

IDENTITY_CALLS = (Call("Filecoin.StateNetworkName"), Call("Filecoin.ChainGetGenesis"))


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """How a node does, for people and metrics."""

    name: str
    proven: bool
    """Whether it showed that it is of the right network, since it was last ill."""
    failures: int
    """In a row."""
    rests_s: float
    """How much longer it is passed over where another can be asked."""
    left_alone_s: float
    """How much longer it is asked for nothing at all, not even its head."""
    is_foreign: bool
    """Whether it was found to be of another network or chain, when it was last asked."""
    missing_methods: tuple[str, ...]
    heard_at: float | None
    """When it last told a head that counts, by the chain's clock; None: never."""
    head_epoch: int | None
    unheard: str | None
    """Why its head is not heard; None while it is."""
    error: str | None
    """Why it is of no use now, its head not heard, or far behind; None while all is well."""
    failing_since: float | None


@dataclass(slots=True)
class Node:
    """A transport, and what is known of the node behind it."""

    transport: Transport
    retries: Retries
    clock: Clock
    proven: bool = False
    failures: int = 0
    rests_until: float = float("-inf")
    asked_until: float = float("-inf")
    """Until when it asked to be left alone."""
    missing: dict[str, tuple[float, RpcFault]] = field(default_factory=dict)
    """Methods that it has not, by the title of the call: when that was said, and in which words."""
    batches_refused_at: float = float("-inf")
    proven_at: float = float("-inf")
    """When it last showed that it is of the right network."""
    refusal: str | None = None
    """In which words it was found to be of another network, when it was last asked."""
    hearing: Hearing = field(init=False)
    ailment: Ailment = field(init=False)
    lag: Ailment = field(init=False)
    """That its head is heard, but far behind another node's."""

    def __post_init__(self) -> None:
        self.hearing, self.ailment, self.lag = Hearing(self.clock), Ailment(self.clock), Ailment(self.clock)

    @property
    def name(self) -> str:
        """What the node is called."""
        return self.transport.name

    @property
    def at_rest(self) -> bool:
        """Whether it is passed over for now."""
        return self.clock() < self.rests_until

    @property
    def is_refused(self) -> bool:
        """Whether it is of another network, and not to be asked again yet."""
        return self.refusal is not None and self.at_rest

    def health(self) -> NodeHealth:
        """How the node does now."""
        hearing = self.hearing
        ailments = (hearing.ailment, self.ailment, self.lag)
        worst = next((one for one in ailments if one.error is not None), self.ailment)
        return NodeHealth(
            name=self.name,
            proven=self.proven,
            failures=self.failures,
            rests_s=self._rests_s,
            left_alone_s=max(self.asked_rest_s, self._rests_s if self.is_refused else 0.0),
            is_foreign=self.refusal is not None,
            missing_methods=tuple(sorted(self.missing)),
            heard_at=hearing.heard_at,
            head_epoch=None if hearing.head is None else hearing.head.epoch,
            unheard=hearing.ailment.error,
            error=worst.error,
            failing_since=worst.since,
        )

    @property
    def _rests_s(self) -> float:
        return max(0.0, self.rests_until - self.clock())

    @property
    def asked_rest_s(self) -> float:
        """How much longer it asked to be left alone; 0 where it doesn't."""
        return max(0.0, self.asked_until - self.clock())

    async def call(self, call: Call) -> object:
        """The result; every error of it bears the node's name."""
        self._refuse_missing(call)
        try:
            return await self.transport.call(call)
        except RpcFault as fault:
            raise self.error_of(fault, call.title) from fault
        except ChainError as error:
            error.node = self.name
            raise

    async def batch(self, calls: Sequence[Call]) -> tuple[object, ...]:
        """The results; the first call that failed decides. A node that refuses batches is asked one by one."""
        for call in calls:
            self._refuse_missing(call)
        if self.clock() - self.batches_refused_at < self.retries.forget_missing_s:
            results = await self._apart(calls)
        else:
            results = await self._together(calls)
        for call, result in zip(calls, results, strict=True):
            if isinstance(result, RpcFault):
                raise self.error_of(result, call.title) from result
        return results

    async def _together(self, calls: Sequence[Call]) -> tuple[object, ...]:
        refusal: ChainError
        try:
            return await self.transport.batch(calls)
        except RpcFault as fault:
            refusal = error_of(fault, "batch")
        except ChainError as error:
            refusal = error
        if not isinstance(refusal, _NO_BATCHES):
            raise self.named(refusal)
        results = await self._apart(calls)
        self.batches_refused_at = self.clock()  # only now: what fails one by one too was no matter of batches
        _log.info("node_refuses_batches", node=self.name, reason=str(refusal))
        return results

    async def _apart(self, calls: Sequence[Call]) -> tuple[object, ...]:
        return tuple([await self._result_or_fault(call) for call in calls])

    async def _result_or_fault(self, call: Call) -> object:
        try:
            return await self.transport.call(call)
        except RpcFault as fault:
            return fault
        except ChainError as error:
            raise self.named(error) from error.__cause__

    async def members(self, call: Call) -> AsyncGenerator[Member, None]:
        """The members of a huge result that is a map, as they come; ends by itself only when all have come."""
        self._refuse_missing(call)
        scanner = ResultMembers()
        try:
            async with aclosing(self.transport.stream(call)) as texts:
                async for text in texts:
                    for member in scanner.feed(text):
                        yield member
            scanner.finish()
        except RpcFault as fault:
            raise self.error_of(fault, call.title) from fault
        except ChainError as error:
            error.node = self.name
            raise

    async def identity(self) -> NetworkIdentity:
        """The network that it says it is of."""
        name, genesis = await self.batch(IDENTITY_CALLS)
        return self.decoded("identity", lambda: decoding.identity(name, genesis))

    def decoded(self, method: str, decode: Callable[[], T]) -> T:
        """What `decode` gives; what it cannot take is a GarbledAnswer of this node."""
        try:
            return decode()
        except ChainError as error:
            error.node = self.name
            raise
        except FilecoinError as error:
            raise self.named(GarbledAnswer(f"{method}: {error}")) from error

    def named(self, error: E) -> E:
        """The error, as this node's."""
        error.node = self.name
        return error

    def error_of(self, fault: RpcFault, title: str) -> ChainError:
        """What a fault means; a method that is missing is remembered."""
        error = self.named(error_of(fault, title))
        if isinstance(error, MethodMissing | ModuleDisabled):
            if title not in self.missing:
                _log.info("node_lacks_method", node=self.name, method=title, reason=str(error))
            self.missing[title] = (self.clock(), fault)
        return error

    async def prove(self, gate: Gate, *, again: bool = False) -> None:
        """Asks a node that is not proven for its network; WrongNetwork where it is another.

        One that is proven is asked all the same with `again`. One that was found to be of another is not asked again
        before it has rested.
        """
        if self.proven and not again:
            return
        if self.refusal is not None and self.at_rest:
            raise self.named(WrongNetwork(self.refusal))
        identity = await self.identity()
        self.decoded("identity", lambda: gate.admit(identity))
        if not self.proven:
            _log.info("node_proven", node=self.name, network=identity.name, genesis=str(identity.genesis_cid))
        self.proven, self.proven_at, self.refusal = True, self.clock(), None

    def worked(self) -> None:
        """It answered: what was before is forgiven."""
        if self.failures:
            _log.info("node_recovered", node=self.name, failures=self.failures)
        self.failures = 0
        self.ailment.ends()
        self.rests_until = self.asked_until = float("-inf")

    def failed(self, error: ChainError) -> None:
        """It rests where the error says that it is ill, and must then prove itself again."""
        if isinstance(error, WrongNetwork) and self.is_refused:
            return  # it was not asked
        if isinstance(error, _USELESS):
            self.ailment.begins(str(error))
        if not isinstance(error, TransientError | GarbledAnswer | WrongNetwork):
            return
        self.failures += 1
        if isinstance(error, WrongNetwork):
            self.refusal = error.args[0]
            self.hearing.failed(error)
        self.rests_until = self.clock() + self.retries.node_rest_s(self.failures, error)
        self.asked_until = self.clock() + (retry_after_s(error) or 0.0)
        self.proven = False
        self._log_failure(error)

    def _log_failure(self, error: ChainError) -> None:
        """Once for each illness, at its beginning; a node of another network is for a person to look at."""
        if self.failures == 1:
            log = _log.error if isinstance(error, WrongNetwork) else _log.warning
            log("node_failed", node=self.name, error=type(error).__name__, reason=str(error))

    def _refuse_missing(self, call: Call) -> None:
        """Raises without asking where the node said a while ago that it has no such method."""
        said = self.missing.get(call.title)
        if said is not None and self.clock() - said[0] < self.retries.forget_missing_s:
            raise self.named(error_of(said[1], call.title))
