"""Who signed what: every way to be refused has its own error, and nothing altered gets through."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    SignedTextError,
    WrongKey,
    WrongScheme,
)
from explorer.signatures.facts import Decision
from explorer.signatures.frc0102 import envelope
from explorer.signatures.texts import text_of
from explorer.signatures.verify import (
    LEEWAY,
    canonical_signature,
    sign_text,
    verify_decision,
    verify_publisher_proof,
    verify_record,
    verify_sign_in,
    verify_signature,
)
from node.address import Address, parse_address
from node.signing import SecretKey, sign
from tests.unit.signatures.builders import (
    NOTARY,
    NOTARY_0X,
    NOTARY_BLS,
    NOTARY_F1,
    NOTARY_F3,
    NOW,
    OTHER,
    OTHER_F1,
    PUBLISHER,
    PUBLISHER_F1,
    SOON,
    approval_terms,
    as_0x,
    decision,
    proof,
    secret,
    sign_in,
    signed,
)
from tests.unit.signatures.oracles import eth_keys_sign, personal_sign

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ETH_KEY = secret("notary")
SIGNERS: list[tuple[Address, SecretKey | bytes]] = [(NOTARY_F1, NOTARY), (NOTARY_0X, ETH_KEY), (NOTARY_F3, NOTARY_BLS)]
FAST_SIGNERS = SIGNERS[:2]
by_signer = pytest.mark.parametrize(("signer", "key"), SIGNERS, ids=["f1", "0x", "f3"])
by_fast_signer = pytest.mark.parametrize(("signer", "key"), FAST_SIGNERS, ids=["f1", "0x"])


@by_signer
def test_a_decision_names_who_made_it(signer: Address, key: SecretKey | bytes) -> None:
    text, signature = signed(decision(signer=signer), key)
    assert verify_decision(text, signature, **approval_terms()) == signer
    assert verify_decision(text, signature, **approval_terms(signer=signer)) == signer
    assert verify_record({"message": text, "signature": signature}) == decision(signer=signer)


@by_signer
def test_a_sign_in_names_who_it_is(signer: Address, key: SecretKey | bytes) -> None:
    text, signature = signed(sign_in(signer=signer), key)
    assert verify_sign_in(text, signature, network="mainnet", domain="explorer.example.org", now=NOW) == signer


@by_signer
def test_a_publisher_proves_its_address(signer: Address, key: SecretKey | bytes) -> None:
    text, signature = signed(proof(publisher=signer), key)
    terms = {"cluster": "bacalhau-eu", "job_id": "j-7f3a", "publisher": signer, "network": "mainnet", "now": NOW}
    assert verify_publisher_proof(text, signature, **terms) == signer
    with pytest.raises(WrongKey if signer.protocol != 3 else ForgedSignature):
        verify_publisher_proof(*signed_by_another(proof(publisher=signer)), **terms)


def signed_by_another(facts: Any) -> tuple[str, str]:
    """The text, signed by a key that it doesn't name."""
    signer = facts.publisher if hasattr(facts, "cluster") else facts.signer
    text = text_of(facts)
    if signer.protocol == 4:
        return text, personal_sign(secret("somebody"), text).hex()
    return text, sign_text(OTHER, text) if signer.protocol == 1 else "02" + "11" * 96


def test_0x_and_f410_are_the_same_signer() -> None:
    text, signature = signed(as_0x(decision()), ETH_KEY)
    for spelling in (str(NOTARY_0X), NOTARY_0X.to_eth() or "", NOTARY_0X.to_text("t")):
        assert verify_decision(text, signature, **approval_terms(signer=parse_address(spelling))) == NOTARY_0X


def test_the_signature_of_another_library_holds() -> None:
    text = text_of(decision())
    assert verify_decision(text, eth_keys_sign(NOTARY.raw, envelope(text.encode())), **approval_terms()) == NOTARY_F1


@by_fast_signer
@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"network": "calibration"}, OtherNetwork),
        ({"network": "simulated"}, OtherNetwork),
        ({"domain": "explorer.example.com"}, OtherDomain),
        ({"review_id": "another"}, OtherReview),
        ({"grant_id": "another"}, AlteredText),
        ({"decision": "reject"}, AlteredText),
        ({"publisher": OTHER_F1}, AlteredText),
        ({"requested_bytes": (1 << 40) + 1}, AlteredText),
        ({"signer": OTHER_F1}, WrongKey),
        ({"now": SOON}, Expired),
        ({"now": SOON + timedelta(days=1)}, Expired),
        ({"now": NOW - LEEWAY - timedelta(seconds=1)}, NotYetValid),
    ],
)
def test_a_good_signature_for_something_else(
    signer: Address, key: SecretKey | bytes, terms: dict[str, Any], refusal: type[SignatureRefused]
) -> None:
    text, signature = signed(decision(signer=signer), key)
    with pytest.raises(refusal) as refused:
        verify_decision(text, signature, **approval_terms(**terms))
    assert type(refused.value) is refusal


@by_fast_signer
def test_the_edges_of_its_time(signer: Address, key: SecretKey | bytes) -> None:
    text, signature = signed(decision(signer=signer), key)
    for now in (NOW - LEEWAY, NOW, SOON - timedelta(microseconds=1)):
        assert verify_decision(text, signature, **approval_terms(now=now)) == signer


@by_fast_signer
@pytest.mark.parametrize(
    "change",
    [
        {"network": "calibration"},
        {"network": "simulated"},
        {"review_id": "another"},
        {"decision": "reject"},
        {"requested_bytes": 1 << 50},
        {"publisher": OTHER_F1},
        {"nonce": "00000000"},
        {"expires_at": SOON + timedelta(days=365)},
        {"domain": "evil.example"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_signature_does_not_move_to_another_text(
    signer: Address, key: SecretKey | bytes, change: dict[str, Any]
) -> None:
    """The text is altered to what is due, the signature is the one of the text that was signed."""
    _, signature = signed(decision(signer=signer), key)
    altered = decision(signer=signer, **change)
    terms = {name: value for name, value in change.items() if name not in {"nonce", "expires_at"}}
    with pytest.raises(WrongKey) as refused:
        verify_decision(text_of(altered), signature, **approval_terms(**terms))
    assert refused.value.recovered not in {None, str(signer)}


@by_fast_signer
def test_another_key_is_refused(signer: Address, key: SecretKey | bytes) -> None:
    with pytest.raises(WrongKey):
        verify_decision(*signed_by_another(decision(signer=signer)), **approval_terms())


def test_a_forged_bls_signature_is_refused() -> None:
    text, signature = signed(decision(signer=NOTARY_F3), NOTARY_BLS)
    for forged in (signature[:-2] + "00", signature[:-2], "02" + "c0" + "00" * 95):
        with pytest.raises(ForgedSignature):
            verify_decision(text, forged, **approval_terms())


@by_fast_signer
def test_each_altered_byte_of_a_signature_is_refused(signer: Address, key: SecretKey | bytes) -> None:
    text, signature = signed(decision(signer=signer), key)
    raw = bytes.fromhex(signature.removeprefix("0x"))
    for at in range(len(raw)):
        altered = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises((WrongKey, ForgedSignature, WrongScheme)):
            verify_signature(text, altered.hex(), signer=signer)


@by_fast_signer
def test_each_altered_character_of_a_text_is_refused(signer: Address, key: SecretKey | bytes) -> None:
    text, signature = signed(decision(signer=signer), key)
    for at in range(len(text)):
        for new in {"", "\n", "0", "1"} - {text[at]}:
            with pytest.raises(SignedTextError):
                verify_record({"message": text[:at] + new + text[at + 1 :], "signature": signature})


@by_fast_signer
@pytest.mark.parametrize(
    "spoil",
    [
        lambda signature: "",
        lambda signature: "0x",
        lambda signature: signature[:-1],
        lambda signature: signature[:-2],
        lambda signature: signature + "00",
        lambda signature: signature + "\n",
        lambda signature: " " + signature,
        lambda signature: signature.replace("0x", "").replace("a", "g") + "g",
        lambda signature: "0x0x" + signature,
        lambda signature: signature + "00" * 10_000,
        lambda signature: "\uff10\uff10" + signature,
    ],
)
def test_a_spoiled_signature_is_refused(signer: Address, key: SecretKey | bytes, spoil: Callable[[str], str]) -> None:
    text, signature = signed(decision(signer=signer), key)
    with pytest.raises((ForgedSignature, WrongScheme)):
        verify_decision(text, spoil(signature), **approval_terms())


def test_the_wrong_scheme_is_named() -> None:
    f1_text, f1_signature = signed(decision())
    eth_text, eth_signature = signed(as_0x(decision()), ETH_KEY)
    bare = sign(NOTARY, f1_text.encode()).to_bytes().hex()
    for text, signature in [
        (f1_text, bare),
        (f1_text, "0x" + personal_sign(NOTARY.raw, f1_text).hex()),
        (f1_text, "02" + f1_signature[2:]),
        (f1_text, "03" + f1_signature[2:]),
    ]:
        with pytest.raises(WrongScheme):
            verify_decision(text, signature, **approval_terms())
    # The same key in the other envelope: 66 bytes of an f1 signature are none of Ethereum's 65.
    with pytest.raises(ForgedSignature):
        verify_decision(eth_text, sign_text(NOTARY, eth_text), **approval_terms())
    assert verify_decision(eth_text, eth_signature[2:].upper(), **approval_terms()) == NOTARY_0X


def test_another_kind_of_text_is_refused() -> None:
    text, signature = signed(sign_in())
    with pytest.raises(OtherText):
        verify_decision(text, signature, **approval_terms())
    text, signature = signed(decision())
    with pytest.raises(OtherText):
        verify_sign_in(text, signature, network="mainnet", domain="explorer.example.org", now=NOW)


def test_the_twin_with_the_high_s_is_kept_as_the_same_signature() -> None:
    for facts, key, start in ((decision(), NOTARY, 1), (as_0x(decision()), ETH_KEY, 0)):
        text, signature = signed(facts, key)
        raw = bytes.fromhex(signature.removeprefix("0x"))
        body, v = raw[start : start + 64], raw[-1]
        high = ORDER - int.from_bytes(body[32:], "big")
        twin_v = 55 - v if v >= 27 else 1 - v
        twin = (raw[:start] + body[:32] + high.to_bytes(32, "big") + bytes([twin_v])).hex()
        assert verify_decision(text, twin, **approval_terms()) == facts.signer
        assert canonical_signature(twin, signer=facts.signer) == canonical_signature(signature, signer=facts.signer)
        assert canonical_signature(signature.upper().replace("X", "x"), signer=facts.signer) == signature


def test_canonical_signatures_of_every_kind() -> None:
    _, signature = signed(decision(signer=NOTARY_F3), NOTARY_BLS)
    assert canonical_signature("0x" + signature, signer=NOTARY_F3) == signature
    with pytest.raises(WrongScheme):
        canonical_signature(signature, signer=NOTARY_F1)
    with pytest.raises(ForgedSignature):
        canonical_signature("01" + "00" * 65, signer=NOTARY_F1)


def test_a_proof_is_bound_to_its_job() -> None:
    text, signature = signed(proof(), PUBLISHER)
    terms: dict[str, Any] = {"cluster": "bacalhau-eu", "job_id": "j-7f3a", "publisher": PUBLISHER_F1}
    terms |= {"network": "mainnet", "now": NOW}
    for change, refusal in [
        ({"cluster": "bacalhau-us"}, AlteredText),
        ({"job_id": "j-7f3b"}, AlteredText),
        ({"publisher": OTHER_F1}, AlteredText),
        ({"network": "calibration"}, OtherNetwork),
        ({"now": SOON}, Expired),
    ]:
        with pytest.raises(refusal):
            verify_publisher_proof(text, signature, **terms | change)


RECORD = {"notary": str(NOTARY_F1), "decision": "approve", "comment": "fine", "at": "2026-11-23T12:01:00Z"}


def test_a_record_holds_long_after_it_expired() -> None:
    text, signature = signed(decision())
    assert isinstance(verify_record({**RECORD, "message": text, "signature": signature}), Decision)
    assert verify_record(dict(zip(("message", "signature"), signed(proof(), PUBLISHER), strict=True))) == proof()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"decision": "reject"}, AlteredText),
        ({"decision": 1}, AlteredText),
        ({"notary": str(OTHER_F1)}, WrongKey),
        ({"notary": "Alice"}, WrongKey),
        ({"notary": {"address": str(NOTARY_F1)}}, WrongKey),
        ({"at": "2026-11-23T12:05:00Z"}, Expired),
        ({"at": "2026-11-23T11:00:00Z"}, NotYetValid),
        ({"at": "2026-11-23T14:04:00+02:00", "decision": "reject"}, AlteredText),
        ({"at": "yesterday"}, AlteredText),
        ({"at": 1}, AlteredText),
        ({"message": None}, MalformedText),
        ({"signature": None}, MalformedText),
        ({"signature": "00"}, WrongScheme),
        ({"message": "x"}, MalformedText),
        ({"message": "\ud800"}, MalformedText),
    ],
)
def test_a_record_that_was_altered_is_refused(change: dict[str, Any], refusal: type[SignedTextError]) -> None:
    text, signature = signed(decision())
    with pytest.raises(refusal):
        verify_record({**RECORD, "message": text, "signature": signature, **change})


def test_a_foreign_text_is_refused_with_its_line() -> None:
    text, signature = signed(decision())
    with pytest.raises(MalformedText) as refused:
        verify_decision(text + "\nNetwork: mainnet", signature, **approval_terms())
    assert refused.value.line == 15
    with pytest.raises(MalformedText, match="ASCII"):
        verify_signature("a\né", signature, signer=NOTARY_F1)


@settings(max_examples=50)
@given(st.text(max_size=200), st.text("0123456789abcdefx", max_size=140))
def test_nothing_random_is_taken_and_nothing_else_is_raised(text: str, signature: str) -> None:
    with pytest.raises(SignedTextError):
        verify_decision(text, signature, **approval_terms())
    for facts in (decision(), as_0x(decision())):
        with pytest.raises(SignedTextError):
            verify_decision(text_of(facts), signature, **approval_terms())


def test_every_refusal_has_its_own_code() -> None:
    kinds = SignatureRefused.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds) == 10


def test_a_signer_that_is_not_in_the_text_is_asked_for_before_the_curve() -> None:
    facts = replace(decision(), signer=NOTARY_F3)
    with pytest.raises(WrongKey, match=str(NOTARY_F3)):
        verify_decision(text_of(facts), "02" + "00" * 96, **approval_terms(signer=NOTARY_F1))
