"""The part of `LotusChain` that sends messages, and looks for what became of them."""

from node.address import Address
from node.chain.errors import ActorNotFound, AlreadyPending, GarbledAnswer, MessageReplaced, SenderUnknown
from node.chain.results import InvocationResult, MessageLookup
from node.chain.tipset import TipSetKey
from node.cid import Cid
from node.lotus import decoding, params
from node.lotus.asking import Asking, lotus_call
from node.message import Message, SignedMessage, signed_message_cid

_NO_LIMIT = -1


class Sending(Asking):
    """Sends messages."""

    async def next_nonce(self, sender: Address) -> int:
        """The nonce of the sender's next message."""
        try:
            return await self._ask("MpoolGetNonce", self._spelled(sender), decode=decoding.nonce)
        except ActorNotFound as error:
            unknown = SenderUnknown(f"{sender} has no actor on the chain: it never received anything")
            unknown.node = error.node
            raise unknown from error

    async def estimate_gas(self, message: Message, *, max_fee_attofil: int | None = None) -> Message:
        """The message with its gas filled in. A MaxFee of 0 is the node's own limit."""
        return await self._ask(
            "GasEstimateMessageGas",
            params.message(message, prefix=self._prefix),
            {"MaxFee": str(max_fee_attofil or 0)},
            None,
            decode=lambda document: decoding.priced_message(document, message, max_fee_attofil=max_fee_attofil),
        )

    async def call(self, message: Message, *, at: TipSetKey | None = None) -> InvocationResult:
        """What the message would do."""
        return await self._ask(
            "StateCall",
            params.message(message, prefix=self._prefix),
            params.tipset_key(at),
            decode=decoding.invocation,
        )

    async def push(self, signed: SignedMessage) -> Cid:
        """The message's CID once a node took it, or has it. Every node is given it, each once, none is asked again."""
        cid = signed_message_cid(signed)

        def decode(document: object) -> Cid:
            found = decoding.cid(document)
            if found != cid:
                raise GarbledAnswer(f"pushed {cid}, the answer is {found}")
            return found

        push = lotus_call("MpoolPush", params.signed_message(signed, prefix=self._prefix))
        return await self._pool.write(push, decode, harmless=AlreadyPending, done=cid)

    async def search_message(
        self, cid: Cid, *, before: TipSetKey | None = None, lookback_epochs: int | None = None
    ) -> MessageLookup | None:
        """Where this very message was executed: replacements are not asked for, and not taken."""
        limit = _NO_LIMIT if lookback_epochs is None else lookback_epochs

        def decode(document: object) -> MessageLookup | None:
            found = decoding.message_lookup(document)
            if found is not None and found.message_cid != cid:
                raise MessageReplaced(f"looked for {cid}, found {found.message_cid}", by=found.message_cid)
            return found

        return await self._ask(
            "StateSearchMsg", params.tipset_key(before), params.link(cid), limit, False, decode=decode
        )

    async def pending_messages(self, *, at: TipSetKey | None = None) -> tuple[SignedMessage, ...]:
        """The messages in the node's mempool."""
        return await self._ask("MpoolPending", params.tipset_key(at), decode=decoding.signed_messages)
