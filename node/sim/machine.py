"""The machine that runs calls: a message calls an actor, that one others, and what fails leaves no trace in the state.

    World   what is, while one message runs: the state that its calls replace, events, gas
    Call    one actor's view of its call: who calls, with what, and how to call on

An actor refuses by raising ActorFailure. The caller may catch it; the state is then as it was before the call.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, TypeVar

from node import cbor
from node.address import (
    PROTOCOL_ACTOR,
    PROTOCOL_BLS,
    PROTOCOL_DELEGATED,
    PROTOCOL_SECP256K1,
    Address,
    actor_address,
)
from node.errors import ParamsError
from node.event_types import Payload
from node.exit_codes import ILLEGAL_ARGUMENT, NOT_FOUND, SERIALIZATION, UNHANDLED_MESSAGE
from node.methods import SEND, Method
from node.sim.errors import ActorFailure
from node.sim.gas import Meter
from node.sim.rules import FIRST_VERSION_WITHOUT_DATACAP, Rules
from node.sim.state import Actor, Market, Registry, State, Token
from node.sim.traces import Emitted, Trace

INVALID_RECEIVER = 5
INSUFFICIENT_BALANCE = 6
_LEAST_EXPORTED = 2**24
ACCEPTS_ANYTHING = {"account", "ethaccount", "placeholder", "multisig"}
_MAX_DEPTH = 64

P = TypeVar("P")
R = TypeVar("R")
Handler = Callable[["Call", Any], Any]
Handlers = dict[int, tuple[Method[Any, Any], Handler]]


@dataclass(slots=True)
class World:
    """Everything that a message can see and change. `handlers` are the actors, by Lotus' name and method number."""

    state: State
    epoch: int
    rules: Rules
    handlers: dict[str, Handlers] = field(repr=False)
    meter: Meter = field(default_factory=Meter)
    events: list[Emitted] = field(default_factory=list)
    origin: Address | None = None
    origin_nonce: int = 0
    actors_made: int = 0
    trusted: bool = False
    """Whether signatures within params are taken on trust: the chain's own verbs speak for keys they don't hold."""

    @property
    def datacap_ended(self) -> bool:
        """Whether the actors are those without Filecoin Plus (FIP-0118)."""
        return self.state.version >= FIRST_VERSION_WITHOUT_DATACAP

    def set_actor(self, actor_id: int, actor: Actor) -> None:
        """Replaces or adds an actor."""
        self.state = replace(self.state, actors=self.state.actors.set(actor_id, actor))

    def touch(self, actor_id: int) -> None:
        """Gives an actor a new head, since its own state changed."""
        actor = self.state.actors[actor_id]
        digest = blake2b(actor.head + struct.pack(">QQ", self.epoch, self.meter.used), digest_size=32).digest()
        self.set_actor(actor_id, replace(actor, head=digest))

    def set_registry(self, registry: Registry) -> None:
        """Replaces the verified registry's state."""
        self.state = replace(self.state, registry=registry)
        self.touch(6)

    def set_token(self, token: Token) -> None:
        """Replaces the DataCap token's state."""
        self.state = replace(self.state, token=token)
        self.touch(7)

    def set_market(self, market: Market) -> None:
        """Replaces the market's state."""
        self.state = replace(self.state, market=market)
        self.touch(5)

    def add_actor(self, kind: str, address: Address | None, *, actor_id: int | None = None) -> int:
        """Makes an actor; returns its id, by default the next one."""
        new_id = self.state.next_actor_id if actor_id is None else actor_id
        self.set_actor(new_id, Actor(kind, address))
        ids = self.state.ids if address is None else self.state.ids.set(address, new_id)
        self.state = replace(self.state, ids=ids, next_actor_id=max(self.state.next_actor_id, new_id + 1))
        self.touch(new_id)
        return new_id

    def move(self, from_id: int, to_id: int, amount_attofil: int) -> None:
        """Moves funds; ActorFailure where the sender has not so much."""
        if amount_attofil == 0:
            return
        payer = self.state.actors[from_id]
        if payer.balance_attofil < amount_attofil:
            raise ActorFailure(INSUFFICIENT_BALANCE, "sender does not have funds to transfer")
        self.set_actor(from_id, replace(payer, balance_attofil=payer.balance_attofil - amount_attofil))
        payee = self.state.actors[to_id]
        self.set_actor(to_id, replace(payee, balance_attofil=payee.balance_attofil + amount_attofil))

    def actor_for(self, address: Address) -> int:
        """The actor of an address, made where a key's or f410 address has none yet; ActorFailure for the others."""
        actor_id = self.state.actor_id(address)
        if actor_id is not None and actor_id in self.state.actors:
            return actor_id
        if address.protocol in {PROTOCOL_SECP256K1, PROTOCOL_BLS}:
            self.meter.charge_new_actor()
            return self.add_actor("account", address)
        if address.protocol == PROTOCOL_DELEGATED:
            self.meter.charge_new_actor()
            return self.add_actor("placeholder", address)
        raise ActorFailure(INVALID_RECEIVER, f"failed to resolve address {address}")

    def robust_address(self) -> Address:
        """The f2 address of the next actor that this message makes."""
        if self.origin is None:
            raise ActorFailure(ILLEGAL_ARGUMENT, "no origin")
        seed = cbor.encode(self.origin.to_bytes()) + struct.pack(">QQ", self.origin_nonce, self.actors_made)
        self.actors_made += 1
        return Address(PROTOCOL_ACTOR, blake2b(seed, digest_size=20).digest())


@dataclass(slots=True)
class Call:
    """One call of an actor's method."""

    world: World
    caller_id: int
    receiver_id: int
    value_attofil: int
    trace: Trace
    depth: int = 0

    @property
    def state(self) -> State:
        """The state now."""
        return self.world.state

    @property
    def caller(self) -> Address:
        """The caller's f0 address, as error texts name it."""
        return actor_address(self.caller_id)

    def emit(self, payload: Payload) -> None:
        """Emits an event."""
        self.world.meter.charge_event()
        self.world.events.append(Emitted(self.receiver_id, payload))

    def send(self, to: Address, method: Method[P, R], params: P, *, value: int = 0, read_only: bool = False) -> R:
        """Calls another actor's method; raises its ActorFailure."""
        raw = self.send_raw(to, method.numbers[0], method.params.to_bytes(params), value=value, read_only=read_only)
        return method.returns.from_bytes(raw)

    def send_raw(self, to: Address, number: int, params: bytes, *, value: int = 0, read_only: bool = False) -> bytes:
        """Calls another actor's method by its number; its return in CBOR."""
        limit = self.world.meter.limit
        left = 0 if limit is None else limit - self.world.meter.used
        trace = Trace(self.receiver_id, to, value, number, params, left, read_only)
        self.trace.subcalls.append(trace)
        return invoke(self.world, trace, depth=self.depth + 1)

    def resolve(self, address: Address) -> int:
        """The id of an actor that must exist; for a key's address that has none one is made."""
        actor_id = self.state.actor_id(address)
        if actor_id is None:
            self.send_raw(address, SEND, b"")
            actor_id = self.state.ids[address]
        if actor_id not in self.state.actors:
            cause = "actor::get_actor_code_cid -- actor not found (6: resource not found)"
            raise ActorFailure(NOT_FOUND, f"no code for address {address}", cause=cause)
        return actor_id


def invoke(world: World, trace: Trace, *, depth: int = 0) -> bytes:
    """Runs a call to its end; its return value. ActorFailure, with the state as before, where an actor refuses."""
    before, event_count, gas_before = world.state, len(world.events), world.meter.used
    try:
        trace.return_value = _run(world, trace, depth)
    except ActorFailure as error:
        world.state = before
        del world.events[event_count:]
        trace.exit_code = error.exit_code
        name = trace.to if trace.invoked_id is None else actor_address(trace.invoked_id)
        # What was called from here and failed stands below in a node's backtrace.
        inner = error.__cause__.frames if isinstance(error.__cause__, ActorFailure) else ()
        error.frames = error.frames or (f"{name} (method {trace.method}) -- {error}", *inner)
        raise
    finally:
        trace.gas_used = world.meter.used - gas_before
    return trace.return_value


def _run(world: World, trace: Trace, depth: int) -> bytes:
    if depth > _MAX_DEPTH:
        raise ActorFailure(ILLEGAL_ARGUMENT, "message execution exceeds call depth")
    receiver_id = world.actor_for(trace.to)
    trace.invoked_id = receiver_id
    world.move(trace.caller_id, receiver_id, trace.value_attofil)
    kind = world.state.actors[receiver_id].kind
    world.meter.charge_call(trace.params)
    if trace.method == SEND:
        return b""
    found = world.handlers.get(kind, {}).get(trace.method)
    if found is None:
        return _fall_back(kind, trace.method)
    method, handler = found
    call = Call(world, trace.caller_id, receiver_id, trace.value_attofil, trace, depth)
    result: bytes = method.returns.to_bytes(handler(call, _decode(method, trace.params)))
    world.meter.charge_work(kind, method.name)
    return result


def _fall_back(kind: str, number: int) -> bytes:
    """Accounts and their like take any exported method and do nothing."""
    if kind in ACCEPTS_ANYTHING and number >= _LEAST_EXPORTED:
        return b""
    raise ActorFailure(UNHANDLED_MESSAGE, f"invalid method: {number}")


def _decode(method: Method[P, Any], params: bytes) -> P:
    try:
        return method.params.from_bytes(params)
    except ParamsError as error:
        raise ActorFailure(SERIALIZATION, serialization_text(error, params)) from error


def serialization_text(error: ParamsError, raw: bytes) -> str:
    """How the actors' own decoder says it, as far as recorded."""
    if not raw:
        return "Serialization error for Cbor protocol: Eof"
    reason = "Invalid address length" if "an address" in str(error) else "could not be decoded"
    return f'Serialization error for Cbor protocol: Msg("{reason}")'
