"""Facts to text and back: exact, one text for each fact, nothing smuggled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.signatures.eip4361 import build_message, parse_message
from explorer.signatures.errors import MalformedText, SignedTextError, UnsayableFact
from explorer.signatures.facts import Decision, Facts, PublisherProof, SignIn
from explorer.signatures.texts import facts_of, text_of
from explorer.signatures.values import name_text, parse_name, readable_bytes
from node.address import Address, actor_address, parse_address
from tests.unit.signatures.builders import NOW, SOON, any_facts, as_0x, decision, decisions, proof, sign_in

APPROVAL = """\
FIL+ explorer: decision on a review, version 1
Meaning: I approve a grant of 1099511627776 bytes (1 TiB) of DataCap to f1{p} on mainnet.
Decision: approve
Review: 0b9f7a52-6d5e-4a5c-9a38-0f6f9a3d7c11
Grant: 9a3d7c11-0f6f-4a38-9a5c-6d5e0b9f7a52
Publisher: f1{p}
Requested bytes: 1099511627776
Requested size: 1 TiB
Network: mainnet
Domain: explorer.example.org
Signer: f1{s}
Nonce: Bq7rT2vXw9LmZ4pK
Issued: 2026-11-23T12:00:00Z
Expires: 2026-11-23T12:05:00Z"""
APPROVAL_0X = """\
explorer.example.org wants you to sign in with your Ethereum account:
{eth}

I approve a grant of 1099511627776 bytes (1 TiB) of DataCap to f1{p} on mainnet.

URI: https://explorer.example.org/reviews/0b9f7a52-6d5e-4a5c-9a38-0f6f9a3d7c11
Version: 1
Chain ID: 314
Nonce: Bq7rT2vXw9LmZ4pK
Issued At: 2026-11-23T12:00:00Z
Expiration Time: 2026-11-23T12:05:00Z
Resources:
- filplus:decision/approve
- filplus:review/0b9f7a52-6d5e-4a5c-9a38-0f6f9a3d7c11
- filplus:grant/9a3d7c11-0f6f-4a38-9a5c-6d5e0b9f7a52
- filplus:publisher/f1{p}
- filplus:bytes/1099511627776
- filplus:network/mainnet"""
PROOF = """\
FIL+ explorer: publisher's proof, version 1
Meaning: I hold this address and ask for DataCap for it. This moves nothing on the chain.
Cluster: bacalhau-eu
Job: j-7f3a
Address: f1{p}
Network: mainnet
Expires: 2026-11-23T12:05:00Z"""
SIGN_IN = """\
FIL+ explorer: sign in, version 1
Meaning: I sign in to the FIL+ explorer. This moves nothing on the chain.
Network: mainnet
Domain: explorer.example.org
Signer: f1{s}
Nonce: Bq7rT2vXw9LmZ4pK
Issued: 2026-11-23T12:00:00Z
Expires: 2026-11-23T12:05:00Z"""


def filled(form: str) -> str:
    """A text with the test's addresses, which are other facts' job to spell."""
    facts = decision()
    eth = parse_message(text_of(as_0x(facts))).address
    return form.format(p=str(facts.publisher)[2:], s=str(facts.signer)[2:], eth=eth)


@pytest.mark.parametrize(
    ("facts", "form"),
    [(decision(), APPROVAL), (as_0x(decision()), APPROVAL_0X), (proof(), PROOF), (sign_in(), SIGN_IN)],
    ids=["approval", "approval by 0x", "proof", "sign-in"],
)
def test_the_texts_as_they_are_read(facts: Facts, form: str) -> None:
    assert text_of(facts) == filled(form)


def test_a_rejection_says_so() -> None:
    for facts in (decision(decision="reject"), as_0x(decision(decision="reject"))):
        assert "I reject a grant" in text_of(facts)
        assert "approve" not in text_of(facts)


def test_a_0x_sign_in_is_a_message_for_its_wallet() -> None:
    message = parse_message(text_of(as_0x(sign_in(domain="localhost:8080"))))
    assert message.uri == "http://localhost:8080/auth/verify"
    assert message.resources == ("filplus:sign-in", "filplus:network/mainnet")


@given(any_facts)
def test_facts_come_back_out_of_their_text(facts: Facts) -> None:
    text = text_of(facts)
    assert facts_of(text) == facts
    assert text.isascii()
    assert len(text) < 4096


@given(any_facts, any_facts)
def test_different_facts_have_different_texts(one: Facts, other: Facts) -> None:
    assert (text_of(one) == text_of(other)) == (one == other)


@given(decisions, decisions)
def test_each_single_fact_changes_the_text(one: Decision, other: Decision) -> None:
    for name in one.__slots__:
        if getattr(one, name) == getattr(other, name):
            continue
        try:
            changed = text_of(replace(one, **{name: getattr(other, name)}))
        except UnsayableFact:
            assert name in {"issued_at", "expires_at"}
            continue
        assert changed != text_of(one)


@settings(max_examples=300)
@given(any_facts, st.data())
def test_an_edited_text_says_other_facts_or_is_refused(facts: Facts, data: st.DataObject) -> None:
    text = text_of(facts)
    at = data.draw(st.integers(0, len(text)))
    new = data.draw(st.text(max_size=3) | st.sampled_from(["\n", "\r", " ", "0", "f1", "\u2028", "\u202e", "\u0430"]))
    edited = text[:at] + new + text[at + data.draw(st.integers(0, 3)) :]
    try:
        found = facts_of(edited)
    except MalformedText:
        return
    assert text_of(found) == edited
    assert (found == facts) == (edited == text)


@pytest.mark.parametrize("facts", [decision(), as_0x(decision()), sign_in(), as_0x(sign_in()), proof()])
def test_no_line_can_be_left_out_doubled_or_moved(facts: Facts) -> None:
    lines = text_of(facts).split("\n")
    for at in range(len(lines)):
        swapped = [*lines[:at], *lines[at + 1 : at + 2], lines[at], *lines[at + 2 :]]
        for changed in ([*lines[:at], *lines[at + 1 :]], [*lines[: at + 1], *lines[at:]], swapped):
            if changed != lines:
                with pytest.raises(MalformedText):
                    facts_of("\n".join(changed))


@pytest.mark.parametrize("number", range(1, 15))
def test_the_line_that_is_wrong_is_named(number: int) -> None:
    lines = filled(APPROVAL).split("\n")
    lines[number - 1] += " "
    with pytest.raises(MalformedText) as refused:
        facts_of("\n".join(lines))
    assert refused.value.line == number


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1 TiB", "1 GiB"),
        ("1099511627776 bytes", "1 bytes"),
        ("I approve", "I reject"),
        ("I approve", "I \u0430pprove"),
        ("Decision: approve", "Decision: Approve"),
        ("Decision: approve", "Decision:  approve"),
        ("Decision: approve", "Decision: approve "),
        ("Decision: approve", "Decision: approve\r"),
        ("Requested bytes: 1099511627776", "Requested bytes: 01099511627776"),
        ("Requested bytes: 1099511627776", "Requested bytes: 1_099_511_627_776"),
        ("Requested bytes: 1099511627776", "Requested bytes: 1099511627776.0"),
        ("Requested bytes: 1099511627776", "Requested bytes: +1099511627776"),
        ("12:00:00Z", "12:00:00.000Z"),
        ("12:00:00Z", "12:00:00+00:00"),
        ("2026-11-23T12:05", "2026-11-31T12:05"),
        ("2026-11-23T12:05", "2026-11-23T11:05"),
        ("Domain: explorer.example.org", "Domain: Explorer.example.org"),
        ("Domain: explorer.example.org", "Domain: explorer.example.org."),
        ("Domain: explorer.example.org", "Domain: user@explorer.example.org"),
        ("Domain: explorer.example.org", "Domain: explorer.ex\u0430mple.org"),
        ("Network: mainnet", "Network: Mainnet"),
        ("version 1", "version 2"),
        ("Signer: f1", "Signer: t1"),
    ],
)
def test_a_lookalike_is_refused(old: str, new: str) -> None:
    assert old in filled(APPROVAL)
    with pytest.raises(MalformedText):
        facts_of(filled(APPROVAL).replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("- filplus:bytes/1099511627776", "- filplus:bytes/1099511627777", 4),
        ("I approve", "I reject", 4),
        ("- filplus:decision/approve", "- filplus:decision/reject", 4),
        ("Chain ID: 314", "Chain ID: 1", 8),
        ("URI: https", "URI: http", 6),
        ("reviews/0b", "reviews/0c", 6),
        ("00Z\nExpiration", "00.0Z\nExpiration", 10),
        ("05:00Z\n", "05:00+00:00\n", 11),
        ("05:00Z\n", "05:00Z\nNot Before: 2026-11-23T12:00:00Z\n", 12),
        ("05:00Z\n", "05:00Z\nRequest ID: 1\n", 12),
        ("explorer.example.org wants", "https://explorer.example.org wants", 1),
        ("filplus:review/", "filplus:grant/", 14),
        ("- filplus:network/mainnet", "- filplus:network/mainnet\n- filplus:network/mainnet", 13),
        ("filplus:network/mainnet", "filplus:network/calibration", 4),
        ("filplus:network/mainnet", "filplus:network/other", 18),
    ],
)
def test_an_altered_message_is_refused(old: str, new: str, line: int) -> None:
    text = filled(APPROVAL_0X)
    assert old in text
    with pytest.raises(MalformedText) as refused:
        facts_of(text.replace(old, new))
    assert refused.value.line == line


def test_a_foreign_message_is_refused() -> None:
    message = parse_message(filled(APPROVAL_0X))
    for changes in ({"statement": None}, {"expiration_time": None}, {"resources": None}, {"resources": ()}):
        with pytest.raises(MalformedText):
            facts_of(build_message(replace(message, **changes)))  # type: ignore[arg-type]


def test_a_0x_decision_has_no_plain_text() -> None:
    plain = filled(APPROVAL)
    eth = as_0x(decision()).signer
    line = next(line for line in plain.split("\n") if line.startswith("Signer"))
    with pytest.raises(MalformedText):
        facts_of(plain.replace(line, f"Signer: {eth} ({parse_message(filled(APPROVAL_0X)).address})"))


@pytest.mark.parametrize(
    "facts",
    [
        decision(review_id="a\nNetwork: mainnet"),
        decision(review_id=""),
        decision(review_id="a b"),
        decision(review_id="\u0430"),
        decision(review_id="x" * 129),
        decision(grant_id="../x"),
        decision(decision="maybe"),
        decision(requested_bytes=0),
        decision(requested_bytes=-1),
        decision(requested_bytes=True),
        decision(requested_bytes=2**80),
        decision(network="mainnet\n"),
        decision(network="main"),
        decision(domain="a\nb"),
        decision(domain="a/b"),
        decision(domain="user@a"),
        decision(domain="bücher.example"),
        decision(domain="A.example"),
        decision(domain=""),
        decision(domain="[::01]"),
        decision(domain="a" * 254),
        decision(nonce="1234567"),
        decision(nonce="1234567\n"),
        decision(nonce="x" * 65),
        decision(signer=actor_address(1)),
        decision(signer=Address(2, bytes(20))),
        decision(signer=parse_address("f432f77777777x32lpna")),
        decision(issued_at=NOW.replace(tzinfo=None)),
        decision(issued_at=NOW + timedelta(microseconds=1)),
        decision(expires_at=NOW),
        sign_in(expires_at=NOW - timedelta(seconds=1)),
        decision(expires_at=datetime.max.replace(microsecond=0, tzinfo=timezone(timedelta(hours=-5)))),
        proof(cluster=""),
        proof(job_id="x" * 129),
        proof(job_id="\U0001f600" * 128),
        proof(job_id="\ud800"),
        proof(publisher=actor_address(1)),
    ],
    ids=lambda facts: type(facts).__name__,
)
def test_a_fact_that_cannot_be_said_is_refused(facts: Facts) -> None:
    with pytest.raises(UnsayableFact):
        text_of(facts)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("job-1", "job-1"),
        ("job 1", "job\\u{20}1"),
        ("a\nNetwork: x", "a\\u{a}Network:\\u{20}x"),
        ("\\u{20}", "\\u{5c}u{20}"),
        ("j\u043eb", "j\\u{43e}b"),
        ("\u202ex", "\\u{202e}x"),
        ("é", "\\u{e9}"),
        ("e\u0301", "e\\u{301}"),
        ("\x00\x7f", "\\u{0}\\u{7f}"),
        ("\U0001f600", "\\u{1f600}"),
    ],
)
def test_names_of_others_are_escaped(name: str, text: str) -> None:
    assert name_text(name) == text
    assert parse_name(text) == name
    assert facts_of(text_of(proof(job_id=name, cluster=name))) == proof(job_id=name, cluster=name)


@pytest.mark.parametrize("text", ["\\u{0020}", "\\u{41}", "\\u{D800}", "\\u{d800}", "\\u{110000}", "\\n", "a b", ""])
def test_an_escape_that_is_not_the_one_spelling_is_refused(text: str) -> None:
    with pytest.raises(SignedTextError):
        facts_of(text_of(proof(job_id="XX")).replace("XX", text))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1, "1 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1 << 40, "1 TiB"),
        (3 << 39, "1.5 TiB"),
        ((1 << 40) + 1, "about 1 TiB"),
        ((1 << 40) - 1, "about 1023.99 GiB"),
        (10**15, "about 909.49 TiB"),
        (2**80 - 1, "about 1023.99 ZiB"),
    ],
)
def test_readable_amounts(amount: int, text: str) -> None:
    assert readable_bytes(amount) == text


def test_a_time_of_another_zone_is_said_in_utc() -> None:
    there = timezone(timedelta(hours=2))
    assert text_of(proof(expires_at=SOON.astimezone(there))) == text_of(proof())
    assert facts_of(text_of(proof())).expires_at.tzinfo == UTC


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(MalformedText):
        facts_of(text)


@pytest.mark.parametrize("kind", [SignIn, Decision, PublisherProof])
def test_every_kind_has_a_form(kind: type[Any]) -> None:
    assert {SignIn: sign_in, Decision: decision, PublisherProof: proof}[kind]().__class__ is kind
