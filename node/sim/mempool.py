"""Messages that wait for a block, by Lotus' rules: what is taken, what replaces what, what goes into a block.

Source: lotus chain/messagepool/messagepool.go; the texts are those of recorded answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from node.errors import SignatureError, UnverifiableSignature
from node.message import Message, SignedMessage, signed_message_cid, signing_bytes
from node.signature import BLS
from node.sim.changes import HeadChange
from node.sim.errors import RpcFault, failure
from node.sim.gas import least_gas_limit
from node.sim.keys import check_signature
from node.sim.rules import BLOCK_GAS_LIMIT
from node.sim.state import State
from node.tokens import ATTOFIL_PER_FIL

MAX_MESSAGE_BYTES = 64 * 1024
_MAX_PENDING = 1000
_MAX_BLOCK_MESSAGES = 10_000
_TOTAL_ATTOFIL = 2_000_000_000 * ATTOFIL_PER_FIL


def fil_text(attofil: int) -> str:
    """An amount as Lotus prints it: `0.07 FIL`."""
    whole, rest = divmod(attofil, ATTOFIL_PER_FIL)
    decimals = f"{rest:018}".rstrip("0")
    return f"{whole}.{decimals} FIL" if decimals else f"{whole} FIL"


def least_premium(premium: int) -> int:
    """The premium with which a message replaces one of that premium."""
    return premium + premium * 10 // 100 + 1


def check_form(signed: SignedMessage) -> None:
    """Returns where the message could stand in a block by its form; RpcFault where not."""
    message = signed.message
    fault = _form_fault(message)
    if fault:
        raise failure(f"message not valid for block inclusion: {fault}")
    size = len(signed.to_bytes())
    if size > MAX_MESSAGE_BYTES:
        raise failure(f"mpool message too large ({size}B): message too big")


def _form_fault(message: Message) -> str | None:
    if message.version != 0:
        return f"'Version' unsupported: {message.version}"
    if message.value_attofil < 0:
        return "'Value' field cannot be negative"
    if message.value_attofil > _TOTAL_ATTOFIL:
        return "'Value' field cannot be greater than total filecoin supply"
    return _gas_fault(message)


def _gas_fault(message: Message) -> str | None:
    limit = message.gas_limit
    if message.gas_fee_cap_attofil < 0:
        return "'GasFeeCap' field cannot be negative"
    if message.gas_premium_attofil < 0:
        return "'GasPremium' field cannot be negative"
    if message.gas_premium_attofil > message.gas_fee_cap_attofil:
        return "'GasFeeCap' less than 'GasPremium'"
    if limit <= 0:
        return f"'GasLimit' field {limit} must be positive"
    if limit > BLOCK_GAS_LIMIT:
        return f"'GasLimit' field cannot be greater than a block's gas limit ({limit} > {BLOCK_GAS_LIMIT})"
    return None


def check_signed(signed: SignedMessage, state: State) -> None:
    """Returns where the sender's key signed the message; RpcFault where not."""
    sender = signed.message.sender
    actor = state.actor(sender)
    signer = sender if sender.actor_id is None or actor is None or actor.address is None else actor.address
    try:
        check_signature(signed.signature, signing_bytes(signed.message), signer=signer)
    except (SignatureError, UnverifiableSignature) as error:
        raise _signature_fault(signed, error) from error


def _signature_fault(signed: SignedMessage, error: SignatureError) -> RpcFault:
    kind = signed.signature.kind
    text = str(error)
    if kind == 1 and "65 bytes" in text:
        reason = "secp256k1/secec: invalid compact signature"
    elif kind == BLS:
        reason = "bls signature failed to verify"
    else:
        reason = "signature did not match"
    cid = signed_message_cid(signed)
    return failure(
        "signature verification failed: failed to validate signature: "
        f"invalid signature for message {cid} (type {kind}): {reason}"
    )


@dataclass(slots=True)
class Mempool:
    """Pending messages, by sender's actor id and nonce."""

    pending: dict[int, dict[int, SignedMessage]] = field(default_factory=dict)

    def check(self, signed: SignedMessage, state: State) -> int:
        """The sender's id where the state after the head lets the message be sent; RpcFault where not."""
        message = signed.message
        sender_id = state.actor_id(message.sender)
        if sender_id is None or sender_id not in state.actors:
            raise failure(
                f"failed to look up actor state nonce: {lookup_text(str(message.sender))}: validation failure"
            )
        sender = state.actors[sender_id]
        if message.nonce < sender.nonce:
            raise failure(f"minimum expected nonce is {sender.nonce}, got {message.nonce}: message nonce too low")
        self._check_cost(signed, sender.balance_attofil)
        return sender_id

    def _check_cost(self, signed: SignedMessage, balance: int) -> None:
        message = signed.message
        least = least_gas_limit(len(signed.to_bytes()))
        if message.gas_limit < least:
            raise failure(
                "verify msg failed: message will not be included in a block: 'GasLimit' field cannot be less than "
                f"the cost of storing a message on chain {message.gas_limit} < {least}"
            )
        required = message.value_attofil + message.gas_fee_cap_attofil * message.gas_limit
        if required > balance:
            raise failure(
                f"failed to check balance: not enough funds (required: {fil_text(required)}, "
                f"balance: {fil_text(balance)}): not enough funds to execute transaction"
            )

    def add(self, signed: SignedMessage, sender_id: int) -> SignedMessage | None:
        """Adds a message, in place of one of its nonce that pays less; the replaced one. RpcFault where it may not."""
        queue = self.pending.setdefault(sender_id, {})
        old = queue.get(signed.message.nonce)
        if old is None and len(queue) >= _MAX_PENDING:
            raise failure(
                f"failed to add locked: actor {signed.message.sender} has too many pending messages: "
                "too many pending messages for actor"
            )
        if old is not None:
            _check_replacement(old, signed)
        queue[signed.message.nonce] = signed
        return old

    def follow(self, changes: Sequence[HeadChange], state: State) -> list[tuple[int, SignedMessage]]:
        """Puts the pool right after a change of the head; what left it (1) and what came back (0), as Lotus tells it.

        A message that is taken from the chain and put on it again by the same change was never back.
        """
        back = dict(_placed(changes, "revert", state))
        left = []
        for place, _ in _placed(changes, "apply", state):
            dropped = None if back.pop(place, None) else self.drop(*place)
            left += [] if dropped is None else [(1, dropped)]
        return left + [(0, one) for (sender_id, _), one in back.items() if self._restore(one, sender_id)]

    def _restore(self, signed: SignedMessage, sender_id: int) -> bool:
        """Puts a message back that a reorg took from the chain, unless its nonce is used by another; whether it did."""
        return self.pending.setdefault(sender_id, {}).setdefault(signed.message.nonce, signed) is signed

    def drop(self, sender_id: int, nonce: int) -> SignedMessage | None:
        """Removes the message with a nonce that is on the chain now; the one that was pending."""
        queue = self.pending.get(sender_id, {})
        dropped = queue.pop(nonce, None)
        if not queue:
            self.pending.pop(sender_id, None)
        return dropped

    def next_nonce(self, sender_id: int, state_nonce: int) -> int:
        """The nonce after those on the chain and those pending without a gap."""
        queue = self.pending.get(sender_id, {})
        nonce = state_nonce
        while nonce in queue:
            nonce += 1
        return nonce

    def messages(self) -> list[SignedMessage]:
        """All pending messages, by sender and nonce."""
        ordered = sorted(self.pending.values(), key=lambda queue: str(next(iter(queue.values())).message.sender))
        return [queue[nonce] for queue in ordered for nonce in sorted(queue)]

    def chain_of(self, sender_id: int, state_nonce: int) -> list[SignedMessage]:
        """A sender's messages that could be executed one after the other."""
        queue = self.pending.get(sender_id, {})
        return [queue[nonce] for nonce in range(state_nonce, self.next_nonce(sender_id, state_nonce))]

    def select(self, state: State, base_fee: int) -> tuple[SignedMessage, ...]:
        """The messages of the next block: who pays most comes first, each sender's in the order of nonces."""
        chains = [self._payable(sender_id, state, base_fee) for sender_id in sorted(self.pending)]
        ordered = sorted((chain for chain in chains if chain), key=lambda chain: _tip(chain[0], base_fee), reverse=True)
        chosen: list[SignedMessage] = []
        gas = 0
        for signed in (one for chain in ordered for one in chain):
            gas += signed.message.gas_limit
            if gas > BLOCK_GAS_LIMIT or len(chosen) == _MAX_BLOCK_MESSAGES:
                break
            chosen.append(signed)
        return tuple(chosen)

    def _payable(self, sender_id: int, state: State, base_fee: int) -> list[SignedMessage]:
        """A sender's next messages, up to the first that its funds or fee cap do not suffice for."""
        actor = state.actors.get(sender_id)
        if actor is None:
            return []
        left, payable = actor.balance_attofil, []
        for signed in self.chain_of(sender_id, actor.nonce):
            message = signed.message
            left -= message.value_attofil + message.gas_fee_cap_attofil * message.gas_limit
            if left < 0 or message.gas_fee_cap_attofil < base_fee:
                break
            payable.append(signed)
        return payable


def _placed(changes: Sequence[HeadChange], kind: str, state: State) -> Iterator[tuple[tuple[int, int], SignedMessage]]:
    """The messages of the tipsets of one kind of change, each with its sender's id and its nonce."""
    for signed in (one for change in changes if change.kind == kind for one in change.tipset.messages):
        sender_id = state.actor_id(signed.message.sender)
        if sender_id is not None:
            yield (sender_id, signed.message.nonce), signed


def _tip(signed: SignedMessage, base_fee: int) -> int:
    message = signed.message
    return min(message.gas_premium_attofil, message.gas_fee_cap_attofil - base_fee)


def _check_replacement(old: SignedMessage, new: SignedMessage) -> None:
    message = new.message
    head = f"failed to add locked: message from {message.sender} with nonce {message.nonce} already in mpool"
    if signed_message_cid(old) == signed_message_cid(new):
        raise failure(f"{head}: message with nonce already exists")
    least = least_premium(old.message.gas_premium_attofil)
    if message.gas_premium_attofil < least:
        raise failure(
            f"{head}, increase GasPremium to {least} from {message.gas_premium_attofil} to trigger replace by fee: "
            "replace by fee has too low GasPremium"
        )


def lookup_text(address: str) -> str:
    """How Lotus says that no actor has an address."""
    return f"resolution lookup failed ({address}): resolve address {address}: actor not found"
