"""The names of parties. The chain's records hold actor ids, f0…; every other form needs a node to be resolved. Pure."""

from typing import Literal

from explorer.parties.errors import AddressUnresolved, MalformedAddress
from node.address import Address, actor_address, parse_address, text_prefix
from node.errors import AddressError, excerpt

Role = Literal["client", "provider"]
ROLES: tuple[Role, ...] = ("client", "provider")
OTHER: dict[Role, Role] = {"client": "provider", "provider": "client"}
"""Who stands on the other side of a record."""


def read_address(text: str, prefixes: str) -> Address:
    """The address of a text, in any form; MalformedAddress. `prefixes` are the letters of this network's addresses."""
    try:
        address = parse_address(text)
    except AddressError as error:
        raise MalformedAddress(str(error), value=text[:100]) from error
    letter = text_prefix(text)
    if letter is not None and letter not in prefixes:
        other = address.to_text(prefixes[0])
        raise MalformedAddress(
            f"{excerpt(text)} is spelled as an address of another network; on this one it is {other}", value=text[:100]
        )
    return address


def actor_id_of(text: str, prefixes: str) -> int:
    """The actor id that an address says itself: f0…, or a masked 0x…. MalformedAddress, AddressUnresolved."""
    actor_id = read_address(text, prefixes).actor_id
    if actor_id is None:
        raise AddressUnresolved(
            f"the index knows parties by their actor ids, and not which one {excerpt(text)} has", value=text[:100]
        )
    return actor_id


def forms_of(actor_id: int, prefix: str) -> dict[str, str]:
    """The spellings of an actor id."""
    address = actor_address(actor_id)
    return {"id": address.to_text(prefix), "eth": address.to_eth() or ""}
