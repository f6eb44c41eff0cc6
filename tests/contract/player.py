"""Plays what a recorded driver did, through a door: the same requests in the same order, at the same epochs."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from node.message import Message, message_document
from tests.contract.doors import Door, HttpReply, HttpRequest
from tests.contract.recorded_calls import RecordedCall, waited_height
from tests.contract.sockets import PlayedSocket
from tests.contract.translation import Translation

_LARGE_REQUEST_BYTES = 101 << 20
_KINDS = {
    "read": ["read"],
    "write": ["read", "write"],
    "sign": ["read", "write", "sign"],
    "admin": ["read", "write", "sign", "admin"],
}
_MADE_UP = {
    "208-wrong-token": "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJBbGxvdyI6WyJyZWFkIl19.AAAA",
    "209-garbage-token": "Bearer garbage",
    "210-basic-auth": "Basic dXNlcjpwYXNzd29yZA==",
}
"""What the recordings leave out of a request: a header with a token that is none."""


class Refused(AssertionError):
    """Something that a driver did between the calls was answered with an error."""


@dataclass(slots=True)
class Player:
    """Plays calls through a door."""

    door: Door
    names: Translation = field(default_factory=Translation)
    own_senders: set[str] = field(default_factory=set)
    """Our addresses of recorded senders whose keys nobody has: their messages are signed anew."""
    nulls: frozenset[int] = frozenset()
    blocks: Mapping[int, int] = field(default_factory=dict)
    """How many blocks a tipset has, where it is more than one."""
    sockets: list[PlayedSocket] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    head: int = 0

    async def ask(self, method: str, *params: Any) -> Any:
        """A method's result, asked with all permissions."""
        body = json.dumps({"jsonrpc": "2.0", "id": 0, "method": method, "params": params}).encode()
        reply = await self.door.send(HttpRequest(body=body, authorization=f"Bearer {self.door.admin_token}"))
        answer = json.loads(reply.body)
        if "error" in answer:
            raise Refused(f"{method} {json.dumps(params)[:300]}: {answer['error']}")
        return answer["result"]

    async def open(self) -> None:
        """Makes the tokens that the calls are made with."""
        for kind, permissions in _KINDS.items():
            encoded = await self.ask("Filecoin.AuthNew", permissions)
            self.tokens[kind] = _base64(encoded)
        await self.look()

    async def look(self) -> None:
        """Sees what the head is now, and what the websockets have got."""
        self.head = (await self.ask("Filecoin.ChainHead"))["Height"]
        await self.pump()

    async def pump(self) -> None:
        """Takes what the websockets have got."""
        for socket in self.sockets:
            await socket.pump()

    # Time.

    async def mine_to(self, height: int) -> None:
        """Mines every epoch up to a height but the null rounds."""
        for epoch in range(self.head + 1, height + 1):
            if epoch not in self.nulls:
                await self.mine_at(epoch)

    async def mine_at(self, height: int) -> None:
        """Mines the next tipset at an epoch."""
        await self._mine(height)
        await self.pump()

    async def _mine(self, height: int) -> None:
        if height > self.head + 1:
            await self.ask("Sim.NullRounds", height - self.head - 1)
        await self.ask("Sim.Mine", 1, self.blocks.get(height, 1))
        self.head = height

    async def go_back(self, height: int) -> None:
        """Makes an older tipset of the chain the head. The websockets hear of it with what comes next."""
        tipset = await self.ask("Filecoin.ChainGetTipSetByHeight", height, None)
        await self.ask("Filecoin.ChainSetHead", tipset["Cids"])
        self.head = height

    async def replace_head(self, height: int) -> None:
        """Puts a tipset at an epoch in the place of the head; for the websockets all of that is one happening."""
        await self.go_back(self.head - 1)
        await self._mine(height)
        for socket in self.sockets:
            await socket.pump(joined_changes=True)

    # Messages that no call shows.

    async def push(self, message: Message) -> dict[str, str]:
        """Pushes a message that the driver sent between the calls, and those of lower nonces before it; its CID."""
        sender = self.names.to_ours(str(message.sender))
        due = await self.ask("Filecoin.MpoolGetNonce", sender)
        for nonce in range(due, message.nonce):
            await self._sign_and_push({**message_document(_filler(message, nonce)), "From": sender, "To": sender})
        return await self._sign_and_push({**message_document(message), "From": sender})

    async def _sign_and_push(self, document: dict[str, Any]) -> dict[str, str]:
        unsigned = {key: value for key, value in document.items() if key != "CID"}
        signed = await self.ask("Filecoin.WalletSignMessage", unsigned["From"], unsigned)
        cid: dict[str, str] = await self.ask("Filecoin.MpoolPush", signed)
        return cid

    # Calls.

    async def play(self, call: RecordedCall, head: int) -> tuple[HttpReply, Any]:
        """The reply to a recorded call's request, asked at a head, and the JSON in it.

        A request that waits is sent first; then the chain grows as far as it did.
        """
        request = await self._request(call)
        if call.method != "StateWaitMsg":
            await self.mine_to(head)
            reply = await self.door.send(request)
        else:
            sent = asyncio.ensure_future(self.door.send(request))
            await self.mine_to(waited_height(call) or head)
            reply = await sent
        if call.method == "ChainSetHead":
            await self.look()
        return reply, (json.loads(reply.body) if _is_json(reply.body) else None)

    async def _request(self, call: RecordedCall) -> HttpRequest:
        http = call.line["http"]
        token = http.get("token") or "none"
        authorization = _MADE_UP.get(call.number) or (f"Bearer {self.tokens[token]}" if token in self.tokens else None)
        return HttpRequest(
            body=await self._body(call),
            method=http["method"],
            path=self._with_own_token(http["path"]),
            authorization=None if call.gateway else authorization,
            gateway=call.gateway,
        )

    def _with_own_token(self, path: str) -> str:
        bare, _, query = path.partition("?token=")
        return f"{bare}?token={self.tokens['admin']}" if query else path

    async def _body(self, call: RecordedCall) -> bytes:
        if call.request is not None:
            self._name_token(call)
            return json.dumps(await self._resigned(self.names.to_ours(call.request))).encode()
        text = (call.line.get("request_text") or "").encode()
        return text.ljust(_LARGE_REQUEST_BYTES, b"a") if call.number == "175-large-request" else text

    def _name_token(self, call: RecordedCall) -> None:
        """Has a token that a driver asks about mean ours with the same permissions."""
        if call.method == "AuthVerify":
            allowed = json.loads(base64.urlsafe_b64decode(call.params[0].split(".")[1] + "=="))["Allow"]
            self.names.rename(call.params[0], self.tokens[allowed[-1]])

    async def _resigned(self, request: Any) -> Any:
        """A request whose signed message is of somebody whose key we put in place of the recorded one."""
        params = (request.get("params") or []) if isinstance(request, dict) else []
        signed = params[0] if isinstance(params, list) and params and isinstance(params[0], dict) else {}
        message = signed.get("Message") or {}
        if message.get("From") not in self.own_senders:
            return request
        unsigned = {key: value for key, value in message.items() if key != "CID"}
        again = await self.ask("Filecoin.WalletSignMessage", message["From"], unsigned)
        return {**request, "params": [again, *params[1:]]}


def _base64(text: str) -> str:
    return base64.b64decode(text).decode()


def _is_json(body: bytes) -> bool:
    return body[:1] in {b"{", b"["}


def _filler(message: Message, nonce: int) -> Message:
    """A message that does nothing, for a nonce that the driver used before its first call."""
    return replace(message, to=message.sender, nonce=nonce, method=0, params=b"", value_attofil=0)
