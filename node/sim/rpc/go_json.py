"""Params and returns of actors' methods in JSON, as Lotus' StateDecodeParams and StateWaitMsg print them.

Go prints a struct's fields by their names, null for a list without items and for no bytes, amounts as texts.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from node.actors import accounts, batch, datacap, market, multisig, verifreg
from node.address import Address
from node.bitfield import BitField
from node.cid import Cid
from node.message import bytes_text
from node.methods import Method
from node.sim.blocks import link
from node.sim.rpc.params import BadParam, read_address, read_amount
from node.tuples import CborTuple

_FIELDS: dict[type[CborTuple], tuple[str, ...]] = {
    accounts.ExecReturn: ("IDAddress", "RobustAddress"),
    batch.BatchFailure: ("Idx", "Code"),
    batch.BatchReturn: ("SuccessCount", "FailCodes"),
    datacap.BurnReturn: ("Balance",),
    datacap.BurnFromReturn: ("Balance", "Allowance"),
    datacap.TransferParams: ("To", "Amount", "OperatorData"),
    datacap.TransferReturn: ("FromBalance", "ToBalance", "RecipientData"),
    datacap.TransferFromReturn: ("FromBalance", "ToBalance", "Allowance", "RecipientData"),
    datacap.MintReturn: ("Balance", "Supply", "RecipientData"),
    market.PublishStorageDealsReturn: ("IDs", "ValidDeals"),
    multisig.ProposeReturn: ("TxnID", "Applied", "Code", "Ret"),
    multisig.ApproveReturn: ("Applied", "Code", "Ret"),
    multisig.ProposeParams: ("To", "Value", "Method", "Params"),
    multisig.TransactionParams: ("ID", "ProposalHash"),
    verifreg.AddVerifierParams: ("Address", "Allowance"),
    verifreg.AddVerifiedClientParams: ("Address", "Allowance"),
    verifreg.RemoveDataCapReturn: ("VerifiedClient", "DataCapRemoved"),
    verifreg.RemoveExpiredAllocationsParams: ("Client", "AllocationIds"),
    verifreg.RemoveExpiredAllocationsReturn: ("Considered", "Results", "DataCapRecovered"),
    verifreg.RemoveExpiredClaimsReturn: ("Considered", "Results"),
    verifreg.GetClaimsParams: ("Provider", "ClaimIds"),
    verifreg.GetClaimsReturn: ("BatchInfo", "Claims"),
    verifreg.StoredClaim: ("Provider", "Client", "Data", "Size", "TermMin", "TermMax", "TermStart", "Sector"),
    verifreg.ClaimTerm: ("Provider", "ClaimId", "TermMax"),
}
_AMOUNT_ENDINGS = ("_bytes", "_tokens", "_attofil")
_PLAIN_SIZES = {"size_bytes"}
_READERS: dict[type[CborTuple], Callable[[Mapping[str, object]], CborTuple]] = {
    verifreg.AddVerifierParams: lambda document: verifreg.AddVerifierParams(
        read_address(document.get("Address")), read_amount(document.get("Allowance"))
    ),
    verifreg.AddVerifiedClientParams: lambda document: verifreg.AddVerifiedClientParams(
        read_address(document.get("Address")), read_amount(document.get("Allowance"))
    ),
}


def go_document(value: object, prefix: str, *, amount: bool = False) -> object:
    """A value of params or of a return, in Go's JSON. `amount`: an integer is printed as a text."""
    if isinstance(value, CborTuple):
        return _record(value, prefix)
    if isinstance(value, Address | Cid):
        return value.to_text(prefix) if isinstance(value, Address) else link(value)
    if isinstance(value, bytes | BitField):
        return bytes_text(value) if isinstance(value, bytes) else _runs(value)
    if isinstance(value, tuple):
        return [go_document(item, prefix) for item in value] or None
    return str(value) if amount and isinstance(value, int) else value


def _record(record: CborTuple, prefix: str) -> dict[str, object]:
    attributes = [field.name for field in fields(record)]  # type: ignore[arg-type]
    names = _FIELDS.get(type(record)) or tuple(_camel(name) for name in attributes)
    return {
        name: go_document(getattr(record, attribute), prefix, amount=_is_amount(attribute))
        for name, attribute in zip(names, attributes, strict=True)
    }


def _is_amount(attribute: str) -> bool:
    return attribute.endswith(_AMOUNT_ENDINGS) and attribute not in _PLAIN_SIZES


def _camel(attribute: str) -> str:
    """A field's name in Go, without the unit that ours has."""
    for ending in ("_attofil", "_epochs", "_epoch", "_tokens", "_bytes"):
        attribute = attribute.removesuffix(ending)
    return "".join(part.upper() if part in {"id", "cid"} else part.capitalize() for part in attribute.split("_"))


def _runs(field: BitField) -> list[int]:
    """A bit field as Go prints it: the lengths of unset and set runs in turn."""
    lengths, end = [], 0
    for first, length in field.runs:
        lengths += [first - end, length]
        end = first + length
    return lengths or [0]


def decoded_return(method: Method[Any, Any] | None, raw: bytes, prefix: str) -> object:
    """A return value in Go's JSON; null for none, and for a method that is not known."""
    if method is None or not raw:
        return None
    value = method.returns.from_bytes(raw)
    return go_document(value, prefix, amount=method.name in _RETURNS_AMOUNT)


_RETURNS_AMOUNT = {
    *("TotalSupply", "Balance", "Allowance", "IncreaseAllowance", "DecreaseAllowance", "RevokeAllowance"),
    *("WithdrawBalance", "GetDealTotalPrice", "GetDealClientCollateral", "GetDealProviderCollateral"),
}


def encoded_params(method: Method[Any, Any], record: type[CborTuple], document: Mapping[str, object]) -> bytes:
    """The CBOR of params given in Go's JSON; BadParam where they are none that is known here."""
    reader = _READERS.get(record)
    if reader is None:
        raise BadParam(f"params of {method.name} cannot be encoded")
    raw: bytes = method.params.to_bytes(reader(document))
    return raw
