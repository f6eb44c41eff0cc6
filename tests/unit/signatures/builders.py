"""Facts, keys and texts for the tests, and strategies that make any of them."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from coincurve import PrivateKey
from hypothesis import strategies as st

from explorer.signatures.ethereum import eth_address, eth_address_of_key
from explorer.signatures.facts import Decision, Facts, PublisherProof, SignIn
from explorer.signatures.texts import text_of
from explorer.signatures.verify import sign_text
from node.address import PROTOCOL_BLS, PROTOCOL_SECP256K1, Address
from node.network import NETWORKS
from node.signature import BLS
from node.signing import SecretKey, address_of_key, secret_key_from_bytes
from tests.unit.signatures.oracles import personal_sign

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def secret(name: str) -> bytes:
    """The 32 bytes of a test's key."""
    return hashlib.sha256(name.encode()).digest()


NOTARY = secret_key_from_bytes(secret("notary"))
NOTARY_F1 = address_of_key(NOTARY)
OTHER = secret_key_from_bytes(secret("another notary"))
OTHER_F1 = address_of_key(OTHER)
NOTARY_BLS = secret_key_from_bytes(bytes(31) + b"\x01", BLS)
NOTARY_F3 = address_of_key(NOTARY_BLS)
NOTARY_0X = eth_address_of_key(PrivateKey(secret("notary")).public_key.format(compressed=False))
PUBLISHER = secret_key_from_bytes(secret("publisher"))
PUBLISHER_F1 = address_of_key(PUBLISHER)

_SESSION: dict[str, Any] = {
    "signer": NOTARY_F1,
    "network": "mainnet",
    "domain": "explorer.example.org",
    "nonce": "Bq7rT2vXw9LmZ4pK",
    "issued_at": NOW,
    "expires_at": SOON,
}


def sign_in(**changes: Any) -> SignIn:
    """A sign-in, with changes."""
    return SignIn(**_SESSION | changes)


def decision(**changes: Any) -> Decision:
    """An approval of 1 TiB, with changes."""
    facts = {
        "decision": "approve",
        "review_id": "0b9f7a52-6d5e-4a5c-9a38-0f6f9a3d7c11",
        "grant_id": "9a3d7c11-0f6f-4a38-9a5c-6d5e0b9f7a52",
        "publisher": PUBLISHER_F1,
        "requested_bytes": 1 << 40,
    }
    return Decision(**_SESSION | facts | changes)


def proof(**changes: Any) -> PublisherProof:
    """A publisher's proof, with changes."""
    facts = {"cluster": "bacalhau-eu", "job_id": "j-7f3a", "publisher": PUBLISHER_F1, "network": "mainnet"}
    return PublisherProof(**facts | {"expires_at": SOON} | changes)


def approval_terms(**changes: Any) -> dict[str, Any]:
    """What `verify_decision` is to be asked for `decision()`."""
    facts = decision()
    names = ("decision", "review_id", "grant_id", "publisher", "requested_bytes", "network", "domain")
    return {name: getattr(facts, name) for name in names} | {"now": NOW} | changes


def signed(facts: Facts, key: SecretKey | bytes = NOTARY) -> tuple[str, str]:
    """The text of the facts and its signature: bytes are the key of a 0x signer."""
    text = text_of(facts)
    return text, "0x" + personal_sign(key, text).hex() if isinstance(key, bytes) else sign_text(key, text)


def as_0x(facts: Any) -> Any:
    """The facts, said by the notary's 0x address."""
    return replace(facts, signer=NOTARY_0X)


ids = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._~\-]{0,127}\Z")
nonces = st.from_regex(r"\A[A-Za-z0-9]{8,64}\Z")
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
domains = st.sampled_from(
    ["explorer.example.org", "xn--bcher-kva.example", "localhost:8080", "127.0.0.1", "[::1]:8443", "a.b:65535"]
)
networks = st.sampled_from(sorted(NETWORKS))
moments = st.integers(1_577_836_800, 7_258_118_400).map(lambda second: datetime.fromtimestamp(second, UTC))
key_addresses = st.one_of(
    st.binary(min_size=20, max_size=20).map(lambda raw: Address(PROTOCOL_SECP256K1, raw)),
    st.binary(min_size=48, max_size=48).map(lambda raw: Address(PROTOCOL_BLS, raw)),
    st.binary(min_size=20, max_size=20).filter(lambda raw: raw[0] != 0xFF).map(eth_address),
)


@st.composite
def sessions(draw: st.DrawFn) -> dict[str, Any]:
    """What a sign-in and a decision have in common."""
    issued_at = draw(moments)
    return {
        "signer": draw(key_addresses),
        "network": draw(networks),
        "domain": draw(domains),
        "nonce": draw(nonces),
        "issued_at": issued_at,
        "expires_at": issued_at + timedelta(seconds=draw(st.integers(1, 10**7))),
    }


sign_ins = sessions().map(lambda session: SignIn(**session))
decisions = st.builds(
    lambda session, **facts: Decision(**session, **facts),
    sessions(),
    decision=st.sampled_from(["approve", "reject"]),
    review_id=ids,
    grant_id=ids,
    publisher=key_addresses,
    requested_bytes=st.integers(1, 2**80 - 1),
)
proofs = st.builds(
    PublisherProof, cluster=names, job_id=names, publisher=key_addresses, network=networks, expires_at=moments
)
any_facts: st.SearchStrategy[Facts] = st.one_of(sign_ins, decisions, proofs)
