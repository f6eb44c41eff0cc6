"""Receipts: what became of a message, as nodes print it.

    {"ExitCode": 0, "Return": base64 or null, "GasUsed": 11187006, "EventsRoot": {"/": "bafy2bz…"} or null}

An exit code of 0 says that the message's own call succeeded, not what a multisig or a batch within it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.cid import Cid
from node.errors import MessageError, excerpt
from node.exit_codes import OK
from node.message import bytes_text, parse_bytes, parse_link

_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message's receipt. `return_value` is CBOR, to be read by the method's `returns`, or no bytes."""

    exit_code: int
    return_value: bytes
    gas_used: int
    events_root: Cid | None

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == OK


def parse_receipt(document: object) -> Receipt:
    """The receipt of a node's JSON; MessageError where it is none. `EventsRoot` may be absent (before nv18)."""
    if not isinstance(document, Mapping):
        raise MessageError(f"{excerpt(document)} is no receipt; an object with ExitCode, Return and GasUsed is due")
    events_root = document.get("EventsRoot")
    return Receipt(
        exit_code=_parse_integer(document, "ExitCode"),
        return_value=parse_bytes(document, "Return"),
        gas_used=_parse_integer(document, "GasUsed"),
        events_root=None if events_root is None else parse_link(events_root, "EventsRoot"),
    )


def receipt_document(receipt: Receipt) -> dict[str, object]:
    """The receipt as a node prints it, keys in a node's order."""
    root = receipt.events_root
    return {
        "ExitCode": receipt.exit_code,
        "Return": bytes_text(receipt.return_value),
        "GasUsed": receipt.gas_used,
        "EventsRoot": None if root is None else {"/": root.to_text()},
    }


def _parse_integer(document: Mapping[str, object], name: str) -> int:
    value = document.get(name)
    if type(value) is not int or not 0 <= value <= _INT64_MAX:
        raise MessageError(f"{name} of a receipt: an integer from 0 to 2^63-1 is due, not {excerpt(value)}")
    return value
