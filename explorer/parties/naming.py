"""The names of parties. The chain's records hold actor ids, f0…; every other form needs a node to be resolved. Pure."""

from collections.abc import Sequence
from typing import Literal

from explorer.parties.errors import MalformedAddress
from node.address import (
    ETH_NAMESPACE,
    PROTOCOL_ACTOR,
    PROTOCOL_BLS,
    PROTOCOL_DELEGATED,
    PROTOCOL_ID,
    PROTOCOL_SECP256K1,
    Address,
    parse_address,
    text_prefix,
)
from node.errors import AddressError, excerpt
from node.varint import read_uvarint

ETH_BYTES = 20

Role = Literal["client", "provider"]
OTHER: dict[Role, Role] = {"client": "provider", "provider": "client"}
"""Who stands on the other side of a record."""


def read_address(text: str, prefixes: str) -> Address:
    """The address of a text, in any form; MalformedAddress. `prefixes` are the letters of this network's addresses.

    Every form that says an actor id itself becomes f0: `0xff…`, and that as f410.
    """
    try:
        address = _plain(parse_address(text))
    except AddressError as error:
        raise MalformedAddress(str(error), value=text[:100]) from error
    letter = text_prefix(text)
    if letter is not None and letter not in prefixes:
        other = address.to_text(prefixes[0])
        raise MalformedAddress(
            f"{excerpt(text)} is spelled as an address of another network; on this one it is {other}", value=text[:100]
        )
    return address


def _plain(address: Address) -> Address:
    """An f410 over a masked actor id as the f0 that it means; every other address as it is. AddressError."""
    if address.protocol != PROTOCOL_DELEGATED:
        return address
    namespace, at = read_uvarint(address.payload)
    raw = address.payload[at:]
    return parse_address(f"0x{raw.hex()}") if namespace == ETH_NAMESPACE and len(raw) == ETH_BYTES else address


def forms_of(addresses: Sequence[Address], prefix: str) -> dict[str, str | None]:
    """The spellings of one actor's addresses by what they are, None for those that are not among them.

    `eth` is the 0x… of the actor id, where that is known; `delegated_eth` that of an f410.
    """
    by_kind = {_KINDS[one.protocol]: one for one in addresses}
    eth = {kind: one.to_eth() for kind, one in by_kind.items()}
    return {
        **{kind: by_kind[kind].to_text(prefix) if kind in by_kind else None for kind in _KINDS.values()},
        "eth": eth.get("id", eth.get("delegated")),
        "delegated_eth": eth.get("delegated"),
    }


_KINDS = {
    PROTOCOL_ID: "id",
    PROTOCOL_SECP256K1: "key",
    PROTOCOL_BLS: "key",
    PROTOCOL_ACTOR: "actor",
    PROTOCOL_DELEGATED: "delegated",
}
