"""Plays a recorded driver against the simulated chain, and tells where the answers differ.

The same requests go in, in the same order. Before a request the chain is mined to the epoch that the recorded answer
names. CIDs that the two chains have of the same thing are learned from the answers and put into later requests.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from node.actors.market import PUBLISH_STORAGE_DEALS, PublishStorageDealsParams
from node.actors.verifreg import ADD_VERIFIED_CLIENT, AddVerifiedClientParams
from node.address import parse_address
from node.message import Message, parse_message, signed_message_document
from node.signature import BLS
from node.sim.rpc.dispatch import Dispatcher, dispatchers
from node.sim.rpc.envelope import Answer, Exchange
from node.sim.rpc.methods import ALL_PERMISSIONS, Node
from node.singletons import VERIFIED_REGISTRY

PERMISSIONS = {
    "admin": ALL_PERMISSIONS,
    "sign": frozenset({"read", "write", "sign"}),
    "write": frozenset({"read", "write"}),
    "read": frozenset({"read"}),
    "none": frozenset({"read"}),
}


def calls_of(folder: Path) -> Iterator[dict[str, Any]]:
    """The recorded calls, in order."""
    with (folder / "calls.ndjson").open() as lines:
        yield from map(json.loads, lines)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Messages that the recorded driver sent between two calls: no call shows them, their effects and the logs do."""

    messages: tuple[Message, ...]
    execution_height: int


@dataclass(slots=True)
class Player:
    """Plays calls against a node."""

    node: Node
    known: dict[str, str] = field(default_factory=dict)
    """Recorded CID to ours."""

    def play(self, call: dict[str, Any]) -> tuple[int, Any]:
        """Status and answer of a recorded call's request, with what the two chains have in common put in place."""
        self._travel(call)
        dispatcher: Dispatcher = dispatchers(self.node)[call["http"]["path"].partition("?")[0]]
        request = call.get("request")
        text = call.get("request_text") if request is None else json.dumps(self._ours(request))
        permissions = PERMISSIONS[call["http"].get("token") or "none"]
        status, body = self._exchange(Exchange(dispatcher, (text or "").encode(), permissions), call)
        answer = json.loads(body) if body else None
        self.learn(call.get("response"), answer)
        return status, answer

    def _exchange(self, exchange: Exchange, call: dict[str, Any]) -> tuple[int, bytes]:
        for _ in range(12):
            outcome = exchange.advance()
            if isinstance(outcome, Answer):
                return outcome.status, outcome.body
            self.node.chain.mine()
        raise AssertionError(f"{call['n']}: no answer came")

    def _travel(self, call: dict[str, Any]) -> None:
        """Mines so that what the recorded answer is of, is at its epoch: a message is executed, a head is reached."""
        height = recorded_height(call)
        if height is None:
            return
        chain, is_wait = self.node.chain, call["n"].endswith("StateWaitMsg")
        if is_wait and chain.mempool.pending and height - 1 > chain.head.height:
            self.mine_at(height - 1)
            chain.mine()
        elif not is_wait and height > chain.head.height:
            self.mine_at(height)

    def mine_at(self, height: int) -> None:
        """Mines the next tipset at an epoch."""
        self.node.chain.null_rounds = max(height - self.node.chain.head.height - 1, 0)
        self.node.chain.mine()

    def _ours(self, value: Any) -> Any:
        """A request with our CIDs in place of the recorded ones, and BLS signatures that our chain knows."""
        if isinstance(value, dict) and set(value) == {"/"} and isinstance(value["/"], str):
            return {"/": self.known.get(value["/"], value["/"])}
        if isinstance(value, dict) and isinstance(value.get("Signature"), dict):
            return self._resigned(value)
        if isinstance(value, dict) and value.get("To") == "f05" and value.get("Method") == PUBLISH_STORAGE_DEALS.native:
            return {**value, "Params": self._with_own_signatures(value["Params"]), "CID": None}
        if isinstance(value, dict):
            return {key: self._ours(item) for key, item in value.items() if key != "CID"}
        return [self._ours(item) for item in value] if isinstance(value, list) else value

    def _resigned(self, signed: dict[str, Any]) -> dict[str, Any]:
        if signed["Signature"].get("Type") != BLS:
            return signed
        message = self._ours(signed["Message"])
        return signed_message_document(self.sign(parse_message(message, check_cid=False)))

    def _with_own_signatures(self, params: str) -> str:
        """The params of a publication, its BLS clients' signatures replaced by those that our chain knows."""
        published = PublishStorageDealsParams.from_bytes(base64.b64decode(params))
        deals = tuple(
            replace(deal, client_signature=self.node.chain.wallet.sign(deal.proposal.client, deal.proposal.to_bytes()))
            if deal.client_signature.kind == BLS
            else deal
            for deal in published.deals
        )
        return base64.b64encode(PublishStorageDealsParams(deals).to_bytes()).decode()

    def sign(self, message: Message) -> Any:
        """The message, signed by the wallet."""
        return self.node.chain.wallet.sign_message(message.sender, message)

    def happen(self, unseen: Unseen) -> None:
        """Has unseen messages executed at their epoch."""
        for message in unseen.messages:
            self.push(message)
        self.mine_at(unseen.execution_height - 1)
        self.node.chain.mine()

    def push(self, message: Message) -> None:
        """Pushes a message that the recorded driver sent and no call shows, and those of lower nonces before it."""
        chain = self.node.chain
        state = chain.state_after(chain.head)
        sender_id = state.actor_id(message.sender)
        assert sender_id is not None
        for nonce in range(chain.mempool.next_nonce(sender_id, state.actors[sender_id].nonce), message.nonce):
            chain.push(self.sign(_filler(message, nonce)))
        chain.push(self.sign(message))

    def learn(self, recorded: Any, ours: Any) -> None:
        """Takes note of CIDs that stand at the same places of two answers."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            if set(recorded) == {"/"} == set(ours):
                self.known[str(recorded["/"])] = str(ours["/"])
            for key in recorded.keys() & ours.keys():
                self.learn(recorded[key], ours[key])
        elif isinstance(recorded, list) and isinstance(ours, list):
            for one, other in zip(recorded, ours, strict=False):
                self.learn(one, other)


def grant(sender: str, client: str, datacap_bytes: int, nonce: int) -> Message:
    """An AddVerifiedClient of the recorded devnet."""
    params = AddVerifiedClientParams(parse_address(client), datacap_bytes)
    return Message(
        to=VERIFIED_REGISTRY,
        sender=parse_address(sender),
        nonce=nonce,
        gas_limit=30_000_000,
        gas_fee_cap_attofil=1_000_000,
        gas_premium_attofil=100_000,
        method=ADD_VERIFIED_CLIENT.numbers[0],
        params=params.to_bytes(),
    )


def recorded_height(call: dict[str, Any]) -> int | None:
    """The epoch that the answer of a call is of, where it tells one that matters."""
    response = call.get("response")
    result = response.get("result") if isinstance(response, dict) else None
    if not isinstance(result, dict) or type(result.get("Height")) is not int:
        return None
    name = call["n"].split("-", 1)[1]
    follows = name.endswith(("StateWaitMsg", "ChainHead", "AfterHeight")) or "latest" in str(call.get("request"))
    return result["Height"] if follows else None


def _filler(message: Message, nonce: int) -> Message:
    """A message that does nothing, for a nonce that the recorded driver used before its first call."""
    return replace(message, to=message.sender, nonce=nonce, method=0, params=b"", value_attofil=0)


Difference = tuple[str, Any, Any]


def differences(recorded: Any, ours: Any, path: str = "") -> Iterator[Difference]:
    """Where two answers differ: path, what was recorded, what we answer."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        if set(recorded) == {"/"} == set(ours):
            if recorded != ours:
                yield f"{path}/CID", recorded["/"], ours["/"]
            return
        for key in sorted(recorded.keys() | ours.keys()):
            yield from differences(recorded.get(key, "ABSENT"), ours.get(key, "ABSENT"), f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(ours, list):
        if len(recorded) != len(ours):
            yield f"{path}.length", len(recorded), len(ours)
        for one, other in zip(recorded, ours, strict=False):
            yield from differences(one, other, f"{path}[]")
    elif recorded != ours:
        yield path, recorded, ours
