"""Who signed a text, and whether the text says what it should. Pure: the time is an argument, the nonce the caller's.

A signature is hexadecimal, with or without 0x: of a 0x signer r, s and v (65 bytes); of an f1 or f3 signer as Lotus and
the wallets print it, the kind's byte (01 or 02) before the signature. What can be refused cheaply is refused first; a
BLS signature takes half a second.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from explorer.signatures.errors import (
    AlteredText,
    Expired,
    ForgedSignature,
    MalformedText,
    NotYetValid,
    OtherDomain,
    OtherNetwork,
    OtherReview,
    OtherText,
    SignatureRefused,
    WrongKey,
    WrongScheme,
)
from explorer.signatures.ethereum import canonical_eth_signature, low_s, verify_personal
from explorer.signatures.facts import Decision, Facts, PublisherProof, SignIn
from explorer.signatures.frc0102 import sign_data, verify_data
from explorer.signatures.texts import facts_of
from explorer.signatures.values import time_text
from node.address import PROTOCOL_BLS, PROTOCOL_DELEGATED, PROTOCOL_SECP256K1, Address, parse_address
from node.errors import AddressError, excerpt
from node.signature import BLS, SECP256K1, Signature
from node.signing import SecretKey

LEEWAY = timedelta(minutes=1)
"""How far the clock that issued a text may be ahead of ours."""
_MAX_SIGNATURE_CHARS = 256
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})+)", re.ASCII)
_KINDS = {PROTOCOL_SECP256K1: SECP256K1, PROTOCOL_BLS: BLS}
_REFUSED_AS: Mapping[str, type[SignatureRefused]] = {
    "network": OtherNetwork,
    "domain": OtherDomain,
    "review_id": OtherReview,
    "signer": WrongKey,
}

_Kind = TypeVar("_Kind", SignIn, Decision, PublisherProof)


def verify_sign_in(
    text: str, signature: str, *, network: str, domain: str, now: datetime, signer: Address | None = None
) -> Address:
    """The address that signs in. The nonce (`facts_of(text).nonce`) is the caller's to take, once."""
    facts = read_sign_in(text, network=network, domain=domain, now=now, signer=signer)
    verify_signature(text, signature, signer=facts.signer)
    return facts.signer


def read_sign_in(text: str, *, network: str, domain: str, now: datetime, signer: Address | None = None) -> SignIn:
    """The sign-in that a text says, whoever may sign it; a SignatureRefused where it is about anything else."""
    facts = _due(text, SignIn, {"network": network, "domain": domain, "signer": signer})
    _in_time(facts.issued_at, facts.expires_at, now)
    return facts


def verify_decision(
    text: str,
    signature: str,
    *,
    decision: str,
    review_id: str,
    grant_id: str,
    publisher: Address,
    requested_bytes: int,
    network: str,
    domain: str,
    now: datetime,
    signer: Address | None = None,
) -> Address:
    """The address that decided the review as named; whether it may is not asked here.

    `publisher` is the review's, as the text was made with it. The nonce (`facts_of(text).nonce`) is the caller's to
    take, once. `signer`: who it must be, where that is known.
    """
    facts = read_decision(
        text,
        decision=decision,
        review_id=review_id,
        network=network,
        domain=domain,
        now=now,
        grant_id=grant_id,
        publisher=publisher,
        requested_bytes=requested_bytes,
        signer=signer,
    )
    verify_signature(text, signature, signer=facts.signer)
    return facts.signer


def read_decision(
    text: str,
    *,
    decision: str,
    review_id: str,
    network: str,
    domain: str,
    now: datetime,
    grant_id: str | None = None,
    publisher: Address | None = None,
    requested_bytes: int | None = None,
    signer: Address | None = None,
) -> Decision:
    """The decision that a text says, whoever may sign it; a SignatureRefused where it is about anything else.

    What is None may be anything, and is for whoever signs to look at.
    """
    due = {
        "network": network,
        "domain": domain,
        "review_id": review_id,
        "grant_id": grant_id,
        "decision": decision,
        "publisher": publisher,
        "requested_bytes": requested_bytes,
        "signer": signer,
    }
    facts = _due(text, Decision, due)
    _in_time(facts.issued_at, facts.expires_at, now)
    return facts


def verify_publisher_proof(
    text: str, signature: str, *, cluster: str, job_id: str, publisher: Address, network: str, now: datetime
) -> Address:
    """The publisher's address, which its holder has signed for this cluster's job."""
    facts = read_proof(text, network=network, now=now, cluster=cluster, job_id=job_id, publisher=publisher)
    verify_signature(text, signature, signer=facts.publisher)
    return facts.publisher


def read_proof(
    text: str,
    *,
    network: str,
    now: datetime,
    cluster: str | None = None,
    job_id: str | None = None,
    publisher: Address | None = None,
) -> PublisherProof:
    """The proof that a text says, whoever may sign it; a SignatureRefused where it is about anything else.

    What is None may be anything, and is for whoever signs to look at.
    """
    due = {"network": network, "cluster": cluster, "job_id": job_id, "publisher": publisher}
    facts = _due(text, PublisherProof, due)
    _in_time(None, facts.expires_at, now)
    return facts


def verify_record(document: Mapping[str, Any]) -> Facts:
    """The facts of something signed that was kept, found true from it alone, however long ago.

    `message` and `signature` are needed. Where the document also has `notary` (an address), `decision` or `at`
    (RFC 3339), they must agree with the text: `at` lies between its issue and its expiry.
    """
    text, signature = document.get("message"), document.get("signature")
    if not isinstance(text, str) or not isinstance(signature, str):
        raise MalformedText(1, "a record needs `message` and `signature`, both texts")
    facts = facts_of(text)
    _agrees(document, facts)
    verify_signature(text, signature, signer=_signer(facts))
    return facts


def verify_signature(text: str, signature: str, *, signer: Address) -> None:
    """Returns where the signer signed exactly this text, in the envelope of its kind of address.

    WrongScheme, WrongKey or ForgedSignature where not. Of the text itself nothing is asked.
    """
    raw, data = _signature_bytes(signature), _ascii(text)
    if signer.protocol == PROTOCOL_DELEGATED:
        verify_personal(raw, data, signer)
    else:
        verify_data(_filecoin_signature(raw, signer), data, signer)


def canonical_signature(signature: str, *, signer: Address) -> str:
    """The one spelling of a verified signature that is to be kept: low s, lower case, `0x` only of 0x signers."""
    raw = _signature_bytes(signature)
    if signer.protocol == PROTOCOL_DELEGATED:
        return "0x" + canonical_eth_signature(raw).hex()
    kept = _filecoin_signature(raw, signer)
    if kept.kind == SECP256K1 and len(kept.data) == 65:
        rs, recovery_id = low_s(kept.data[:64], kept.data[64])
        return bytes([SECP256K1, *rs, recovery_id]).hex()
    return kept.to_bytes().hex()


def sign_text(key: SecretKey, text: str) -> str:
    """The signature of an f1 or f3 key under a text, spelled as `verify_…` take it."""
    return sign_data(key, _ascii(text)).to_bytes().hex()


def _due(text: str, kind: type[_Kind], due: Mapping[str, object]) -> _Kind:
    """The facts of a text; refused where it is of another kind, or a fact isn't the one that is due (None: any)."""
    facts = facts_of(text)
    if not isinstance(facts, kind):
        raise OtherText(f"the text is a {type(facts).__name__}, a {kind.__name__} is due")
    for name, value in due.items():
        said = getattr(facts, name)
        if value is not None and said != value:
            refused = _REFUSED_AS.get(name, AlteredText)
            raise refused(f"the text says {name} {_shown(said)}, {_shown(value)} is due")
    return facts


def _shown(value: object) -> str:
    return str(value) if isinstance(value, Address) else excerpt(value)


def _in_time(issued_at: datetime | None, expires_at: datetime, now: datetime) -> None:
    if issued_at is not None and now < issued_at - LEEWAY:
        raise NotYetValid(f"the text is issued at {time_text(issued_at)}, which is still to come; compare the clocks")
    if now >= expires_at:
        raise Expired(f"the text expired at {time_text(expires_at)}")


def _signer(facts: Facts) -> Address:
    return facts.publisher if isinstance(facts, PublisherProof) else facts.signer


def _agrees(document: Mapping[str, Any], facts: Facts) -> None:
    """Returns where the fields around a text say the same as the text."""
    notary, decision, at = (document.get(name) for name in ("notary", "decision", "at"))
    if decision is not None and (not isinstance(facts, Decision) or decision != facts.decision):
        raise AlteredText(f"the record says {excerpt(decision)}, the text doesn't")
    if notary is not None and _address(notary) != _signer(facts):
        raise WrongKey(f"the record names {excerpt(notary)}, the text {_signer(facts)}")
    if at is not None:
        _in_time(None if isinstance(facts, PublisherProof) else facts.issued_at, facts.expires_at, _moment(at))


def _address(value: object) -> Address | None:
    try:
        return parse_address(value) if isinstance(value, str) else None
    except AddressError:
        return None


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise AlteredText(f"the record's time, {excerpt(value)}, is none") from error
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)


def _signature_bytes(signature: str) -> bytes:
    found = _HEX.fullmatch(signature) if len(signature) <= _MAX_SIGNATURE_CHARS else None
    if found is None:
        raise ForgedSignature(f"{excerpt(signature)} is no signature; hexadecimal is due, 65 to 97 bytes")
    return bytes.fromhex(found[1])


def _filecoin_signature(raw: bytes, signer: Address) -> Signature:
    kind = _KINDS.get(signer.protocol)
    if kind is None:
        raise WrongScheme(f"{signer} cannot sign a text; an f1, f3 or 0x address can")
    if raw[0] != kind:
        raise WrongScheme(f"a signature of {signer} begins with the byte {kind:02x}, not {raw[0]:02x}")
    return Signature(kind, raw[1:])


def _ascii(text: str) -> bytes:
    """The bytes of a text. Every text of ours is ASCII, so wallets cannot differ in how they encode it."""
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as error:
        raise MalformedText(1 + text.count("\n", 0, error.start), "every character must be ASCII") from error
