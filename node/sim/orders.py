"""Messages of the chain's own: made and signed by the chain for whoever is named, and mined until they are done.

Actors that are named by an id that nobody has come to be first.
"""

from typing import Any

from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address, actor_address
from node.message import Message, SignedMessage, signing_bytes
from node.methods import SEND, Method
from node.receipt import Receipt
from node.signature import SECP256K1, Signature
from node.signing import sign
from node.sim.chain import SimulatedChain
from node.sim.errors import failure
from node.sim.execution import Implicit
from node.sim.genesis import FAUCET_ID
from node.sim.keys import trusted_signature
from node.sim.machine import ACCEPTS_ANYTHING
from node.sim.search import Found, search_message
from node.sim.state import State
from node.tokens import ATTOFIL_PER_FIL

_GAS_LIMIT = 5_000_000_000
_FEE_CAP = 10_000
_PREMIUM = 1_000
_LEAST_FUNDS = ATTOFIL_PER_FIL
_DONE_WITHIN_TIPSETS = 8
"""Messages that wait longer wait for something else."""


class Orders:
    """The chain's own messages, over one chain."""

    def __init__(self, chain: SimulatedChain) -> None:
        self.chain = chain

    @property
    def state(self) -> State:
        """What is read at the head."""
        return self.chain.state_at(self.chain.head)

    @property
    def next_state(self) -> State:
        """What the head's messages make of it."""
        return self.chain.state_after(self.chain.head)

    def settle(self) -> None:
        """Mines until what was sent before, or came back by a fork, is done: an order counts on what it reads."""
        for _ in range(_DONE_WITHIN_TIPSETS):
            if self.chain.is_settled():
                return
            self.chain.mine()

    def call(self, sender: Address, to: Address, method: Method[Any, Any], params: Any, *, value: int = 0) -> Any:
        """Calls an actor's method and mines until it is done; the return. RpcFault where the actor refuses."""
        receipt = self.send(sender, to, method.numbers[0], method.params.to_bytes(params), value=value)
        return method.returns.from_bytes(receipt.return_value)

    def send(self, sender: Address, to: Address, number: int, params: bytes, *, value: int = 0) -> Receipt:
        """Sends a message for an address, whoever has its key, and mines until it is done; its receipt."""
        sender_id = self.next_state.actor_id(sender)
        actor = None if sender_id is None else self.next_state.actors.get(sender_id)
        if sender_id is None or actor is None:
            raise failure(f"{sender} is no actor of this chain")
        if sender_id != FAUCET_ID and actor.balance_attofil < value + _LEAST_FUNDS:
            self.fund(sender, value + _LEAST_FUNDS)
            actor = self.next_state.actors[sender_id]
        message = Message(
            to=to,
            sender=actor.address or actor_address(sender_id),
            nonce=self.chain.mempool.next_nonce(sender_id, actor.nonce),
            value_attofil=value,
            gas_limit=_GAS_LIMIT,
            gas_fee_cap_attofil=_FEE_CAP + self.chain.head.base_fee * 2,
            gas_premium_attofil=_PREMIUM,
            method=number,
            params=params,
        )
        return self._mine_until_done(message)

    def _mine_until_done(self, message: Message) -> Receipt:
        signed = SignedMessage(message, self._signature(message))
        cid = self.chain.push_trusted(signed)
        within = _DONE_WITHIN_TIPSETS
        for _ in range(within):
            self.chain.mine()
            found = search_message(self.chain, cid, message, start=self.chain.head, limit=within, allow_replaced=False)
            if found is not None:
                return self._checked(found)
        raise failure(f"message {cid} was not executed: an earlier message of {message.sender} is in its way")

    def _signature(self, message: Message) -> Signature:
        """The sender's signature where the wallet can make one at once; else one that only this chain takes."""
        sender_id = self.next_state.actor_id(message.sender)
        key = self.chain.wallet.key_of_account(message.sender, sender_id)
        if key is None or key.kind != SECP256K1:
            return trusted_signature(message.sender)
        return sign(key, signing_bytes(message))

    def _checked(self, found: Found) -> Receipt:
        """The receipt of a message that succeeded; RpcFault with the actors' words for one that did not."""
        if not found.receipt.ok:
            execution = self.chain.execution_of(self.chain.store.parent(found.tipset))
            words = next(one.error for one in execution.executed if one.cid == found.cid)
            raise failure(f"the message {found.cid} failed: {words}")
        return found.receipt

    def ensure(self, address: Address, kind: str) -> int:
        """The actor's id; an f0 id that nobody has becomes an account or a miner, a key's address is funded."""
        actor_id = self.state.actor_id(address)
        if actor_id is not None and actor_id in self.state.actors:
            return actor_id
        if address.actor_id is not None:
            self.chain.waiting.append(Implicit(kind, address.actor_id))
            self.chain.mine()
            self.chain.mine()
            return address.actor_id
        if address.protocol not in {PROTOCOL_SECP256K1, PROTOCOL_BLS}:
            raise failure(f"{address} is no actor of this chain, and none can be made for it")
        self.fund(address, _LEAST_FUNDS)
        return self.state.ids[address]

    def ensure_client(self, address: Address) -> int:
        """The id of a client's account, made where there is none."""
        client_id = self.ensure(address, "account")
        kind = self.state.actors[client_id].kind
        if kind not in ACCEPTS_ANYTHING:
            raise failure(f"{address} is no account but {kind}: name a client that can hold DataCap")
        return client_id

    def ensure_provider(self, address: Address) -> int:
        """The id of a miner, made where there is none."""
        provider_id = self.ensure(address, "storageminer")
        if provider_id not in self.state.miners:
            raise failure(f"{address} is no miner but {self.state.actors[provider_id].kind}")
        return provider_id

    def fund(self, address: Address, amount_attofil: int) -> int:
        """Sends funds from the faucet; the address's balance after it."""
        if address.actor_id is not None and address.actor_id not in self.state.actors:
            self.ensure(address, "account")
        self.send(actor_address(FAUCET_ID), address, SEND, b"", value=amount_attofil)
        actor = self.state.actor(address)
        return 0 if actor is None else actor.balance_attofil
