"""The throwaway keys of the recorded devnet: simulated chains are given the same, so that the same calls fit both."""

import json
from base64 import b64decode
from typing import Any, Final

from node.actors.verifreg import ADD_VERIFIED_CLIENT, AddVerifiedClientParams
from node.address import Address, parse_address
from node.message import Message, SignedMessage
from node.signing import secret_key_from_bytes, sign_message
from node.singletons import VERIFIED_REGISTRY
from tests.recordings_player import RECORDINGS

_ACCOUNTS: Final[dict[str, Any]] = json.loads((RECORDINGS / "accounts.json").read_text())


def account(name: str) -> Address:
    """The address of a recorded account."""
    return parse_address(_ACCOUNTS[name]["address"])


NOTARY, CLIENT, OTHER_CLIENT = account("notary1"), account("client1"), account("client2")
STRANGER, FRESH, NEVER = account("stranger"), account("fresh3"), account("fresh2")
PROVIDER, REGISTRY, ROOT = (parse_address(text) for text in ("f01000", "f06", "f080"))
NOBODY = parse_address("f0999999")


def grant(sender: Address, client: Address, datacap_bytes: int, *, nonce: int = 0, **gas: int) -> Message:
    """A message that gives a client DataCap."""
    params = ADD_VERIFIED_CLIENT.params.to_bytes(AddVerifiedClientParams(client, datacap_bytes))
    return Message(to=VERIFIED_REGISTRY, sender=sender, nonce=nonce, method=4, params=params, **gas)


def signed(message: Message) -> SignedMessage:
    """The message, signed with its sender's recorded secp256k1 key."""
    name = next(name for name in _ACCOUNTS if account(name) == message.sender)
    return sign_message(secret_key_from_bytes(b64decode(_ACCOUNTS[name]["private_key_b64"])), message)
