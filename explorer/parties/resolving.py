"""Whose an address is, and which addresses an actor has, by the followed node's word.

f1 f2 f3 f4 ─► kept? ─ no ─► may it be asked? ─► StateLookupID                   ─► its actor id
f0          ─► kept? ─ no ─► may it be asked? ─► StateGetActor, StateAccountKey  ─► its other addresses
                                  └ no: refused, or left out

A stranger's requests make the node do little: so many questions a minute and at once, the same one once, and what it
said is kept for a while, that nobody is there too. StateLookupRobustAddress is not asked: a node goes through every
actor for it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from explorer.parties.errors import ActorUnknown, AddressUnresolved, NodeSilent, TooManyAddresses
from explorer.parties.kept import Kept
from node.address import PROTOCOL_ACTOR, Address, actor_address
from node.chain.errors import ChainError, NotFound
from node.chain.protocol import Chain

MOST_KEPT = 10_000
MOST_AT_ONCE = 8
MOST_A_MINUTE = 600
KEPT_S = 600.0
"""How long an answer is believed. Until an actor is final, a reorg can give its id to another one."""
ABSENT_S = 30.0
"""How long it is believed that nobody has an address: an epoch."""
FAILED_S = 5.0
"""How long a node that failed is left alone."""
TIMEOUT_S = 5.0
FORMS_WAIT_S = 0.5
"""A page waits no longer for the other addresses of an actor; they come with the next one."""

_log = structlog.get_logger(__name__)

Question = Address | int
"""An address whose actor id is wanted, or an actor id whose addresses are."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the node said: the actor id of an address, or an actor's addresses; nothing where there is no actor."""

    actor_id: int | None = None
    addresses: tuple[Address, ...] = ()
    is_failure: bool = False
    """Whether it could not say."""


@dataclass(slots=True, kw_only=True)
class Resolver:
    """Asks the chain. `chain` gives the one to ask, None while there is none; without it nobody is ever asked."""

    chain: Callable[[], Chain | None] | None = None
    clock: Callable[[], float] = time.monotonic
    timeout_s: float = TIMEOUT_S
    forms_wait_s: float = FORMS_WAIT_S
    most_a_minute: int = MOST_A_MINUTE
    _told: Kept[Question, Told] = field(default_factory=lambda: Kept(MOST_KEPT))
    _named: Kept[int, Address] = field(default_factory=lambda: Kept(MOST_KEPT))
    """The f2 addresses that were asked about: only so are they known."""
    _under_way: dict[Question, asyncio.Task[Told]] = field(default_factory=dict)
    _silent_until: float = -float("inf")
    _minute: int = -1
    _asked: int = 0

    async def actor_id(self, address: Address, text: str) -> int:
        """The actor id of an address, that was written as `text`.

        AddressUnresolved where no node is configured, ActorUnknown where none has it, NodeSilent, TooManyAddresses.
        """
        if address.actor_id is not None:
            return address.actor_id
        try:
            async with asyncio.timeout(self.timeout_s):
                told = await self._answer(address)
        except TimeoutError as error:
            raise NodeSilent(f"the chain's node did not say in time which actor {text} is") from error
        if told.is_failure:
            raise NodeSilent(f"the chain's node did not say which actor {text} is")
        if told.actor_id is None:
            raise ActorUnknown(f"no actor has the address {text} at the head of the chain")
        if address.protocol == PROTOCOL_ACTOR:
            self._named.put(told.actor_id, address, until_s=self.clock() + KEPT_S)
        return told.actor_id

    async def addresses(self, actor_id: int) -> tuple[Address, ...] | None:
        """The other addresses of an actor, as far as a node tells them without a search; None: it was not asked, or
        has not answered yet."""
        try:
            async with asyncio.timeout(self.forms_wait_s):
                told = await self._answer(actor_id)
        except (TimeoutError, AddressUnresolved, NodeSilent, TooManyAddresses):
            return None
        named = self._named.get(actor_id, self.clock())
        return None if told.is_failure else (*((named,) if named else ()), *told.addresses)

    async def _answer(self, question: Question) -> Told:
        """What is kept, or what the node says; who asks the same meanwhile waits for the same answer."""
        kept = self._told.get(question, self.clock())
        if kept is not None:
            return kept
        task = self._under_way.get(question)
        if task is None:
            task = asyncio.create_task(self._told_by(self._chain_to_ask(), question))
            self._under_way[question] = task
            task.add_done_callback(lambda _: self._under_way.pop(question, None))
        return await asyncio.shield(task)

    def _chain_to_ask(self) -> Chain:
        """The chain, if one more question may go there now."""
        if self.chain is None:
            raise AddressUnresolved(
                "the index knows parties by their actor ids, and this service asks no node for others"
            )
        chain, now = self.chain(), self.clock()
        if chain is None or now < self._silent_until:
            raise NodeSilent("no node of the chain is heard at the moment")
        if self._minute != now // 60:
            self._minute, self._asked = int(now // 60), 0
        if len(self._under_way) >= MOST_AT_ONCE or self._asked >= self.most_a_minute:
            raise TooManyAddresses("too many addresses are being looked up")
        self._asked += 1
        return chain

    async def _told_by(self, chain: Chain, question: Question) -> Told:
        """The node's answer, kept; a failure as its reason. Raises nothing: there may be nobody left who waits."""
        try:
            async with asyncio.timeout(self.timeout_s):
                told = await _ask(chain, question)
        except (ChainError, TimeoutError, RuntimeError) as error:  # RuntimeError: the chain was closed meanwhile
            _log.info("address_not_looked_up", question=str(question), error=str(error), kind=type(error).__name__)
            self._silent_until = self.clock() + FAILED_S
            return Told(is_failure=True)
        is_found = told.actor_id is not None or bool(told.addresses)
        self._told.put(question, told, until_s=self.clock() + (KEPT_S if is_found else ABSENT_S))
        return told


async def _ask(chain: Chain, question: Question) -> Told:
    if isinstance(question, Address):
        return Told(actor_id=await chain.actor_id(question))
    return Told(addresses=await _addresses_of(chain, actor_address(question)))


async def _addresses_of(chain: Chain, address: Address) -> tuple[Address, ...]:
    """The f4 of an actor that has one, else the key of an account."""
    actor = await chain.actor(address)
    if actor is None:
        return ()
    if actor.delegated_address is not None:
        return (actor.delegated_address,)
    try:
        return (await chain.account_key(address),)
    except NotFound:
        return ()
