"""A request for a review as it is posted, and what of it is taken. Pure.

The body fits its schema already; here is what no schema can say.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from explorer.errors import MalformedCid
from explorer.ground.letters import shows_nothing
from explorer.reviews.digests import digest
from explorer.reviews.errors import (
    JobTooLarge,
    MalformedAddress,
    MalformedRequest,
    OtherNetworkAddress,
    PublisherCannotProve,
)
from explorer.signatures.errors import UnsayableFact
from explorer.signatures.values import MAX_BYTES, name_text
from node.address import PROTOCOL_ACTOR, PROTOCOL_DELEGATED, PROTOCOL_ID, Address, parse_address, text_prefix
from node.cid import canonical, parse_cid
from node.errors import AddressError, CidError
from node.network import Network

JOB_BYTES: Final = 1 << 20
JOB_DEPTH: Final = 64
_ANY_PREFIX: Final = frozenset({"devnet"})
"""Networks on which both letters are in use."""

FIELDS: Final = ("job", "cids", "publisher", "publisher_proof", "requested_bytes", "results")


@dataclass(frozen=True, slots=True)
class Results:
    """What a job gave: the JSON that is kept, and the bytes of all outputs together, where any has a size."""

    document: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that can be taken. `cids` are the distinct ones, as they were spelled; `digests` are by field."""

    job_id: str
    job: str
    cids: tuple[str, ...]
    publisher: Address
    requested_bytes: int
    proof: tuple[str, str] | None
    results: Results | None
    digests: Mapping[str, str]


def parse_request(body: Mapping[str, Any], network: Network) -> Request:
    """The request of a body that fits its schema; an IntakeRefused or MalformedCid names what can't be taken."""
    proof, results = body.get("publisher_proof"), body.get("results")
    return Request(
        job_id=_job_id(body["job_id"]),
        job=job_text(body["job"]),
        cids=distinct_cids(body["cids"]),
        publisher=parse_publisher(body["publisher"], network),
        requested_bytes=_amount(body["requested_bytes"]),
        proof=None if proof is None else (proof["message"], proof["signature"]),
        results=None if results is None else parse_results(results, "results."),
        digests={field: digest(body.get(field)) for field in FIELDS},
    )


def _job_id(text: str) -> str:
    """A job's id, which the publisher's proof can name."""
    try:
        name_text(text)
    except UnsayableFact as error:
        raise MalformedRequest(f"job_id: {error}", value=text[:60]) from error
    if shows_nothing(text):
        raise MalformedRequest(
            f"job_id: {text[:10]!a} shows nothing that a list could link: name the job in letters or digits",
            value=text[:60],
        )
    return text


def job_text(job: Any) -> str:
    """The job's document as the JSON that is kept."""
    _demand_depth(job)
    try:
        text = json.dumps(job, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise MalformedRequest("job holds a number that is beyond every JSON reader") from error
    size = len(text.encode())
    if size > JOB_BYTES:
        raise JobTooLarge(f"a job's document may have {JOB_BYTES} bytes, this one has {size}", value=size)
    return text


def _demand_depth(job: Any) -> None:
    level, depth = [job], 0
    while level:
        depth += 1
        if depth > JOB_DEPTH:
            raise MalformedRequest(f"job is nested deeper than {JOB_DEPTH} levels", value=JOB_DEPTH)
        containers = [one for one in level if isinstance(one, dict | list)]
        level = [inner for one in containers for inner in (one.values() if isinstance(one, dict) else one)]


def distinct_cids(cids: Sequence[str]) -> tuple[str, ...]:
    """The CIDs without those that say the same again in any spelling; MalformedCid names the first that is none."""
    found: dict[str, str] = {}
    for place, text in enumerate(cids):
        try:
            found.setdefault(canonical(parse_cid(text)).to_text(), text)
        except CidError as error:
            raise MalformedCid(f"cids[{place}]: {error}", value=text[:100]) from error
    return tuple(found.values())


def parse_publisher(text: str, network: Network) -> Address:
    """The f1, f3 or f410 address of a text in any spelling of this network.

    An actor's id (f0) or a contract or multisig (f2) holds no key that could prove anything, and its account's key is
    known to nodes only: such a review could never be approved, so it isn't taken.
    """
    address = parse_network_address(text, network)
    if address.protocol in {PROTOCOL_ID, PROTOCOL_ACTOR} or (
        address.protocol == PROTOCOL_DELEGATED and address.to_eth() is None
    ):
        raise PublisherCannotProve(
            f"{text} has no key of its own; name the f1, f3, f410 or 0x address that signs for it", value=text
        )
    return address


def parse_network_address(text: str, network: Network) -> Address:
    """The address of a text; MalformedAddress, OtherNetworkAddress where it is spelled for another network."""
    try:
        address = parse_address(text)
    except AddressError as error:
        raise MalformedAddress(str(error), value=text[:100]) from error
    prefix = text_prefix(text)
    if prefix not in {None, network.address_prefix} and network.name not in _ANY_PREFIX:
        raise OtherNetworkAddress(
            f"{text} is spelled for another network than {network.name}, where it begins with {network.address_prefix}",
            value=text,
        )
    return address


def _amount(text: str) -> int:
    amount = int(text)
    if amount > MAX_BYTES:
        raise MalformedRequest(f"requested_bytes: {text} is more than any text can say (2^80-1)", value=text)
    return amount


def parse_results(results: Mapping[str, Any], within: str = "") -> Results:
    """The results of a body that fits its schema; MalformedCid, `within` being where in the body they stand."""
    outputs = [_output(f"{within}outputs[{place}]", one) for place, one in enumerate(results["outputs"])]
    sizes = [one["size_bytes"] for one in outputs if one["size_bytes"] is not None]
    code = results.get("exit_code")
    document = {
        "outputs": outputs,
        "exit_code": None if code is None else int(code),
        "log_tail": results.get("log_tail"),
    }
    return Results(json.dumps(document, separators=(",", ":")), sum(sizes) if sizes else None)


def _output(where: str, output: Mapping[str, Any]) -> dict[str, Any]:
    try:
        parse_cid(output["cid"])
    except CidError as error:
        raise MalformedCid(f"{where}.cid: {error}", value=output["cid"][:100]) from error
    size = output.get("size_bytes")
    return {"cid": output["cid"], "size_bytes": None if size is None else int(size)}


def demand_words(comment: str) -> None:
    """Returns where a comment says something that can be seen; MalformedRequest for spaces and invisible characters."""
    if shows_nothing(comment):
        raise MalformedRequest("comment says nothing that can be seen: give the reason in words", value=comment[:100])
