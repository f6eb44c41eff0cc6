"""What the recordings of a Lotus node hold of messages: every one of them, signed or not, its receipts and traces."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from node.actors.dispatch import ActorKind, actor_at
from node.address import parse_address
from tests.unit.node.shared_data import recordings, shared_json

Document = dict[str, Any]
Place = tuple[str, int]
"""The folder's number and the line of the recording."""


@dataclass(frozen=True, slots=True)
class Call:
    """Bytes that some actor's method took or gave."""

    place: Place
    to: str
    method: int
    raw: bytes


@cache
def objects() -> tuple[tuple[Place, Document], ...]:
    """Every JSON object in the recordings, also those within others, and where it stands."""
    return tuple(
        ((path.split("/")[1][:2], line), found)
        for path, text in recordings().items()
        for line, frame in enumerate(text.splitlines(), start=1)
        for found in _objects_within(json.loads(frame))
    )


def _objects_within(document: object) -> Iterator[Document]:
    if isinstance(document, dict):
        yield document
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from _objects_within(part)


def messages() -> list[tuple[Place, Document]]:
    """Every message: asked for, answered, signed, in blocks, from the mempool, replayed."""
    return [(place, found) for place, found in objects() if {"To", "From", "Nonce", "Params"} <= found.keys()]


def signed_messages() -> list[tuple[Place, Document]]:
    """Every message with a signature."""
    return [(place, found) for place, found in objects() if {"Message", "Signature"} <= found.keys()]


def receipts() -> list[tuple[Place, Document]]:
    """Every receipt of a message."""
    return [(place, found) for place, found in objects() if {"ExitCode", "GasUsed"} <= found.keys()]


def params_calls() -> list[Call]:
    """The params of every message, and of every call that one actor made to another in a trace."""
    return [
        Call(place, found["To"], found["Method"], raw_bytes(found["Params"]))
        for place, found in objects()
        if {"To", "From", "Method", "Params"} <= found.keys()
    ]


def return_calls() -> list[Call]:
    """What every successful call in a trace returned, and every message whose receipt a node gave by its CID.

    Left out are receipts of messages that are nowhere else in the recordings: the miner's own.
    """
    traced = [
        Call(place, found["Msg"]["To"], found["Msg"]["Method"], raw_bytes(found["MsgRct"]["Return"]))
        for place, found in objects()
        if {"Msg", "MsgRct"} <= found.keys() and found["MsgRct"]["ExitCode"] == 0
    ]
    sent = {found["CID"]["/"]: found for _, found in messages() if "CID" in found}
    sent |= {found["CID"]["/"]: found["Message"] for _, found in signed_messages() if "CID" in found}
    waited = [
        Call(place, message["To"], message["Method"], raw_bytes(found["Receipt"]["Return"]))
        for place, found in objects()
        if {"Message", "Receipt", "ReturnDec"} <= found.keys() and found["Receipt"]["ExitCode"] == 0
        for message in [sent.get(found["Message"]["/"])]
        if message is not None
    ]
    return traced + waited


def answers(method: str) -> list[tuple[Place, list[Any], Any]]:
    """Params and result of every successful call of a node's method."""
    return [
        (place, found["request"]["params"], found["response"]["result"])
        for place, found in objects()
        if isinstance(found.get("request"), dict)
        and found["request"].get("method") == f"Filecoin.{method}"
        and "result" in found["response"]
    ]


def raw_bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def actor_of(to: str) -> ActorKind | None:
    """Which actor stood at an address of the devnet; None for those that are not known here (f02, f04)."""
    singleton = actor_at(parse_address(to))
    if singleton is not None:
        return singleton
    if to.startswith(("f1", "f3")) or to in {"f0103", "f0104", "f0105"}:
        return "account"
    return "multisig" if to.startswith("f2") else "miner" if to == "f01000" else None


def secret_keys() -> dict[str, bytes]:
    """The devnet's throwaway secp256k1 keys by address."""
    accounts = shared_json("lotus/accounts.json").values()
    return {
        account["address"]: base64.b64decode(account["private_key_b64"])
        for account in accounts
        if account["key_type"] == "secp256k1"
    }
