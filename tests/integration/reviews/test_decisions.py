"""Who decides, with which signature, how often: over HTTP, every refusal among it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from coincurve import PrivateKey

from explorer.access.notaries import add_notary, revoke_notary
from explorer.audit.verifying import verify_database
from explorer.reviews.store import lock_review
from explorer.signatures.ethereum import eth_address_of_key
from explorer.signatures.facts import Decision
from explorer.signatures.texts import facts_of, text_of
from explorer.signatures.verify import sign_text, verify_record
from node.address import Address
from tests.integration.reviews.conftest import OPERATOR, World, code, document, signature_of
from tests.integration.reviews.requests import TIB, proof_of
from tests.unit.signatures.builders import (
    NOTARY,
    NOTARY_0X,
    NOTARY_BLS,
    NOTARY_F1,
    NOTARY_F3,
    OTHER,
    OTHER_F1,
    PUBLISHER,
    PUBLISHER_F1,
    secret,
)

PIB = 1 << 50
PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
BAD_SIGNATURES = ["", "0x", "zz", "00" * 65, "01" + "ff" * 65, "01" * 200, "\u202e", "0x" + "11" * 65]
NO_TEXTS = ["", "x", "FIL+ explorer: decision on a review, version 1", "\u202e", "\x00", "\n" * 4000]
BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("signer", [NOTARY_F1, NOTARY_0X])
async def test_a_signature_alone_approves(world: World, signer: Address) -> None:
    review = await world.proven()
    got = await world.decide(review, signer)
    decided = document(got)
    assert (got.status, decided["state"], decided["sentence"]) == (200, "approved", "approved, waits for DataCap")
    [decision] = decided["decisions"]
    assert (decision["notary"], decision["decision"], decision["comment"]) == (str(signer), "approve", "fine")
    facts = verify_record(decision)
    assert isinstance(facts, Decision)
    assert (facts.grant_id, facts.review_id, facts.requested_bytes) == (review["grant_id"], review["id"], TIB)
    assert await world.told() == [("review.requested", review["id"]), ("review.decided", review["id"])]
    assert await world.audited(review["id"]) == ["review.requested", "review.proved", "review.decided"]


async def test_a_bls_notary_decides_too(world: World) -> None:
    async with world.pool.acquire() as connection:
        await add_notary(connection, NOTARY_F3, "Cyd", by=OPERATOR)
    review = await world.proven()
    text = await world.text(review, NOTARY_F3)
    got = await world.send(review, text, sign_text(NOTARY_BLS, text))
    assert document(got)["state"] == "approved"


async def test_no_approval_without_the_publishers_proof_but_a_rejection(world: World) -> None:
    review = await world.report()
    path = f"/reviews/{review['id']}/approval?address={NOTARY_F1}"
    assert code(await world.ask("GET", path, key=None)) == (409, "publisher_proof_missing")
    facts = facts_of(await world.text(review, decision="reject"))
    assert isinstance(facts, Decision)
    text = text_of(replace(facts, decision="approve"))
    assert code(await world.send(review, text, sign_text(NOTARY, text))) == (409, "publisher_proof_missing")
    assert document(await world.decide(review, decision="reject"))["state"] == "rejected"


async def test_a_large_request_takes_two_notaries(world: World) -> None:
    review = await world.proven(requested_bytes=str(PIB))
    first = document(await world.decide(review))
    assert (first["state"], first["sentence"]) == ("open", "open, waits for 1 more of 2 approvals")
    text_path = f"/reviews/{review['id']}/approval?address={NOTARY_F1}"
    assert code(await world.ask("GET", text_path, key=None)) == (409, "already_decided")
    assert document(await world.decide(review, OTHER_F1))["state"] == "approved"
    assert [one[0] for one in await world.told()] == ["review.requested", "review.decided", "review.decided"]


async def test_one_key_under_two_addresses_is_one_notary(world: World) -> None:
    review = await world.proven(requested_bytes=str(PIB))
    text = await world.text(review, NOTARY_0X)
    await world.decide(review, NOTARY_F1)
    got = await world.send(review, text, signature_of(NOTARY_0X, text))
    assert code(got) == (409, "already_decided")
    path = f"/reviews/{review['id']}/approval?address={NOTARY_0X}"
    assert code(await world.ask("GET", path, key=None)) == (409, "already_decided")


async def test_a_publisher_does_not_decide_under_any_address(world: World) -> None:
    """The publisher is a notary, too: under its f1 address, and under the 0x address of the same key."""
    own_0x = eth_address_of_key(PrivateKey(secret("publisher")).public_key.format(compressed=False))
    async with world.pool.acquire() as connection:
        await add_notary(connection, PUBLISHER_F1, "Pia", by=OPERATOR)
        await add_notary(connection, own_0x, "Pia elsewhere", by=OPERATOR)
    review = await world.proven()
    for address in (PUBLISHER_F1, own_0x):
        path = f"/reviews/{review['id']}/approval?decision=reject&address={address}"
        assert code(await world.ask("GET", path, key=None)) == (403, "own_review")
    unproven = await world.report(job_id="j-2")
    text = await world.text(unproven, own_0x, "reject")
    await world.prove(unproven)
    got = await world.send(unproven, text, signature_of(secret("publisher"), text), decision="reject")
    assert code(got) == (403, "own_review"), "the proof shows both addresses of the key"


async def test_a_reject_is_enough_whatever_the_quorum(world: World) -> None:
    review = await world.proven(requested_bytes=str(PIB))
    await world.decide(review)
    decided = document(await world.decide(review, OTHER_F1, "reject"))
    assert (decided["state"], decided["sentence"]) == ("rejected", "rejected by Ben")
    assert [one["decision"] for one in decided["decisions"]] == ["approve", "reject"]


async def test_the_same_decision_again_gives_the_review_as_it_is(world: World) -> None:
    review = await world.proven()
    text = await world.text(review)
    signature = signature_of(NOTARY_F1, text)
    answers = await asyncio.gather(*(world.send(review, text, signature) for _ in range(30)))
    assert {got.status for got in answers} == {200}
    assert len((await world.show(review))["decisions"]) == 1
    assert [one[0] for one in await world.told()].count("review.decided") == 1


async def test_two_notaries_at_once_take_turns(world: World) -> None:
    for number in range(10):
        review = await world.proven(job_id=f"j-{number}")
        texts = [(one, await world.text(review, one)) for one in (NOTARY_F1, OTHER_F1)]
        answers = await asyncio.gather(
            *(world.send(review, text, signature_of(signer, text)) for signer, text in texts)
        )
        assert sorted(got.status for got in answers) == [200, 409]
        assert {code(got) for got in answers if got.status == 409} == {(409, "review_closed")}
        assert len((await world.show(review))["decisions"]) == 1


async def test_an_approval_and_a_rejection_at_once_leave_one_state(world: World) -> None:
    for number in range(10):
        review = await world.proven(job_id=f"j-{number}")
        texts = [
            (one, decision, await world.text(review, one, decision))
            for one, decision in ((NOTARY_F1, "approve"), (OTHER_F1, "reject"))
        ]
        answers = await asyncio.gather(
            *(world.send(review, text, signature_of(one, text), decision=said) for one, said, text in texts)
        )
        shown = await world.show(review)
        [decision] = shown["decisions"]
        assert shown["state"] == {"approve": "approved", "reject": "rejected"}[decision["decision"]]
        assert sorted(got.status for got in answers) == [200, 409]


def altered(text: str, **changes: Any) -> str:
    facts = facts_of(text)
    assert isinstance(facts, Decision)
    return text_of(replace(facts, **changes))


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"network": "calibration"}, "other_network"),
        ({"domain": "evil.example"}, "other_domain"),
        ({"review_id": "rev_01M83GG34CD1A0AKA0GCJFWY8P"}, "other_review"),
        ({"grant_id": "gra_01M83GG34CD1A0AKA0GCJFWY8P"}, "altered_text"),
        ({"requested_bytes": 2 * TIB}, "altered_text"),
        ({"publisher": NOTARY_F3}, "altered_text"),
        ({"decision": "reject"}, "altered_text"),
        ({"expires_at": datetime(2020, 1, 2, tzinfo=UTC), "issued_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expired"),
        (
            {"expires_at": datetime(2100, 1, 2, tzinfo=UTC), "issued_at": datetime(2100, 1, 1, tzinfo=UTC)},
            "not_yet_valid",
        ),
    ],
)
async def test_a_text_that_says_something_else_is_refused(world: World, changes: dict[str, Any], value: str) -> None:
    review = await world.proven()
    text = altered(await world.text(review), **changes)
    got = await world.send(review, text, sign_text(NOTARY, text))
    assert (code(got), document(got)["value"]) == ((403, "signature_refused"), value)
    assert (await world.show(review))["decisions"] == []


@pytest.mark.parametrize("nonce", ["Bq7rT2vXw9LmZ4pK", "A" * 48, "7" * 48])
async def test_a_nonce_that_was_not_given_out_is_refused(world: World, nonce: str) -> None:
    review = await world.proven()
    text = altered(await world.text(review), nonce=nonce)
    assert code(await world.send(review, text, sign_text(NOTARY, text))) == (403, "nonce_refused")


async def test_a_nonce_serves_one_notary_one_review_and_one_decision(world: World) -> None:
    review, other = await world.proven(requested_bytes=str(PIB)), await world.proven(job_id="j-2")
    facts = facts_of(await world.text(review))
    assert isinstance(facts, Decision)
    for target, signer, decision in (
        (review, OTHER_F1, "approve"),
        (review, NOTARY_F1, "reject"),
        (other, NOTARY_F1, "approve"),
    ):
        text = altered(await world.text(target, signer, decision), nonce=facts.nonce)
        got = await world.send(target, text, signature_of(signer, text), decision=decision)
        assert code(got) == (403, "nonce_refused"), (signer, decision)


@pytest.mark.parametrize(
    ("key", "status"),
    [(OTHER, "wrong_key"), (PUBLISHER, "wrong_key"), (NOTARY_BLS, "wrong_scheme"), (secret("notary"), "wrong_scheme")],
)
async def test_another_keys_signature_is_refused(world: World, key: Any, status: str) -> None:
    review = await world.proven()
    text = await world.text(review)
    got = await world.send(review, text, signature_of(key, text))
    assert (code(got), document(got)["value"]) in (
        ((403, "signature_refused"), status),
        ((403, "signature_refused"), "forged_signature"),
    )
    assert (await world.show(review))["state"] == "open"


@pytest.mark.parametrize("signature", BAD_SIGNATURES)
async def test_what_is_no_signature_is_refused(world: World, signature: str) -> None:
    review = await world.proven()
    got = await world.send(review, await world.text(review), signature)
    assert code(got) == (403, "signature_refused")


@pytest.mark.parametrize("message", NO_TEXTS)
async def test_what_is_no_text_is_refused(world: World, message: str) -> None:
    review = await world.proven()
    assert code(await world.send(review, message, "00" * 65)) == (400, "malformed_text")


async def test_a_strangers_good_signature_is_refused(world: World) -> None:
    review = await world.proven()
    text = altered(await world.text(review), signer=PUBLISHER_F1)
    assert code(await world.send(review, text, sign_text(PUBLISHER, text))) == (403, "not_a_notary")
    path = f"/reviews/{review['id']}/approval?address={PUBLISHER_F1}"
    assert code(await world.ask("GET", path, key=None)) == (403, "not_a_notary")


async def test_a_revoked_notary_decides_nothing_nor_repeats_it(world: World) -> None:
    review, decided = await world.proven(), await world.proven(job_id="j-2")
    text, before = await world.text(review), await world.text(decided)
    assert (await world.send(decided, before, sign_text(NOTARY, before))).status == 200
    async with world.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
    assert code(await world.send(review, text, sign_text(NOTARY, text))) == (403, "not_a_notary")
    assert code(await world.send(decided, before, sign_text(NOTARY, before))) == (403, "not_a_notary")


async def test_a_revoked_notarys_approval_of_an_open_review_counts_no_more(world: World) -> None:
    review = await world.proven(requested_bytes=str(PIB))
    await world.decide(review)
    async with world.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
    assert (await world.show(review))["sentence"] == "open, waits for 2 approvals"
    second = document(await world.decide(review, OTHER_F1))
    assert (second["state"], second["sentence"]) == ("open", "open, waits for 1 more of 2 approvals")


async def test_who_has_approved_is_not_revoked_while_that_is_counted(world: World) -> None:
    """Else a review could be approved by two, one of whom was revoked, by the log too, before the other decided."""
    review = await world.proven(requested_bytes=str(PIB))
    await world.decide(review)
    async with world.pool.acquire() as deciding, world.pool.acquire() as revoking:
        transaction = deciding.transaction()
        await transaction.start()
        held = await lock_review(deciding, review["id"])
        assert held is not None
        assert len(held.life.approvals) == 1
        revoke = asyncio.create_task(revoke_notary(revoking, str(NOTARY_F1), by=OPERATOR))
        done, _ = await asyncio.wait({revoke}, timeout=0.3)
        assert not done
        await transaction.commit()
        await revoke


async def test_a_revoked_approval_does_not_come_back_with_its_notary(world: World) -> None:
    review = await world.proven(requested_bytes=str(PIB))
    await world.decide(review)
    async with world.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
        await add_notary(connection, NOTARY_F1, "Ada", by=OPERATOR)
    assert (await world.show(review))["sentence"] == "open, waits for 2 approvals"
    path = f"/reviews/{review['id']}/approval?decision=approve&address={NOTARY_F1}"
    assert code(await world.ask("GET", path, key=None)) == (409, "already_decided")
    assert document(await world.decide(review, OTHER_F1))["state"] == "open"
    assert document(await world.decide(review, NOTARY_0X))["state"] == "approved"


async def test_nobody_signs_a_longer_time_than_was_offered(world: World) -> None:
    review = await world.proven()
    text = await world.text(review)
    facts = facts_of(text)
    assert isinstance(facts, Decision)
    for later in (facts.expires_at + timedelta(hours=1), datetime(2036, 1, 1, tzinfo=UTC)):
        longer = altered(text, expires_at=later)
        assert code(await world.send(review, longer, sign_text(NOTARY, longer))) == (403, "nonce_refused")
    assert (await world.send(review, text, sign_text(NOTARY, text))).status == 200


async def test_a_shown_decision_opens_no_review(world: World) -> None:
    """Whoever is shown a signature may send it again: it tells them that it counted, not what the review holds."""
    review = await world.proven()
    text = await world.text(review)
    assert document(await world.send(review, text, sign_text(NOTARY, text)))["job"] is not None
    again = document(await world.send(review, text, sign_text(NOTARY, text)))
    assert (again["state"], again["job"], again["results"], again["comments"]) == ("approved", None, None, [])


@pytest.mark.parametrize("comment", ["   ", "\u200b", "\u2028\t", "\u202e"])
async def test_a_comment_says_something(world: World, comment: str) -> None:
    review = await world.proven()
    text = await world.text(review)
    assert code(await world.send(review, text, sign_text(NOTARY, text), comment=comment)) == (400, "malformed_body")


async def test_an_approval_of_an_earlier_round_never_counts_again(world: World) -> None:
    review = await world.proven(requested_bytes=str(PIB))
    unsent = await world.text(review, OTHER_F1)
    text = await world.text(review)
    signature = sign_text(NOTARY, text)
    assert (await world.send(review, text, signature)).status == 200
    await world.decide(review, OTHER_F1, "reject")
    got = await world.ask("POST", f"/reviews/{review['id']}/reopen", {"comment": "again"}, session=OTHER_F1)
    anew = document(got)
    assert (anew["state"], anew["round"], anew["grant_id"] != review["grant_id"]) == ("open", 2, True)
    assert anew["sentence"] == "open, waits for 2 approvals"
    again = document(await world.send(review, text, signature))
    assert (again["state"], again["sentence"]) == ("open", "open, waits for 2 approvals")
    got = await world.send(review, unsent, sign_text(OTHER, unsent))
    assert (code(got), document(got)["value"]) == ((403, "signature_refused"), "altered_text")
    await world.decide(review)
    assert document(await world.decide(review, OTHER_F1))["state"] == "approved"
    assert [one["outcome"] for one in (await world.show(review))["rounds"]] == ["rejected", "approved"]


async def test_late_is_late(world: World) -> None:
    world.now = BEGAN
    review = await world.report()
    world.now = BEGAN + timedelta(days=6, hours=23, minutes=30)
    text = await world.text(review, decision="reject")
    facts = facts_of(text)
    assert isinstance(facts, Decision)
    assert facts.expires_at == BEGAN + timedelta(days=7)
    world.now = BEGAN + timedelta(days=7)
    got = await world.send(review, text, sign_text(NOTARY, text), decision="reject")
    assert (code(got), document(got)["value"]) == ((403, "signature_refused"), "expired")
    path = f"/reviews/{review['id']}/approval?decision=reject&address={NOTARY_F1}"
    assert code(await world.ask("GET", path, key=None)) == (409, "review_expired")


async def test_a_session_says_whose_text_it_is_and_asks_for_more(world: World) -> None:
    review = await world.proven()
    path = f"/reviews/{review['id']}"
    got = await world.ask("GET", f"{path}/approval", session=NOTARY_0X)
    text = document(got)["message"]
    assert document(got)["address"] == str(NOTARY_0X)
    assert code(await world.ask("GET", f"{path}/approval?address={OTHER_F1}", session=NOTARY_0X)) == (
        403,
        "not_allowed",
    )
    asked = await world.ask(
        "POST", f"{path}/decisions", {"decision": "ask", "comment": "Whose data?"}, session=OTHER_F1
    )
    assert document(asked)["sentence"] == "open, waits for an answer to a notary's question and 1 approval"
    answered = await world.ask("POST", f"{path}/comments", {"comment": "Ours."})
    assert document(answered)["sentence"] == "open, waits for 1 approval"
    said = {"decision": "approve", "comment": "ok", "message": text, "signature": signature_of(NOTARY_0X, text)}
    assert code(await world.ask("POST", f"{path}/decisions", said, session=OTHER_F1)) == (403, "not_allowed")
    assert (await world.ask("POST", f"{path}/decisions", said, session=NOTARY_0X)).status == 200


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"decision": "ask"}, (403, "not_allowed")),
        ({"decision": "ask", "message": "x"}, (400, "malformed_body")),
        ({"decision": "approve"}, (400, "malformed_body")),
        ({"decision": "approve", "message": "x"}, (400, "malformed_body")),
        ({"decision": "yes"}, (400, "malformed_body")),
        ({"decision": "ask", "comment": ""}, (400, "malformed_body")),
        ({"decision": "ask", "comment": "a\u0000b"}, (400, "malformed_body")),
        ({"decision": "ask", "comment": "x" * 4001}, (400, "malformed_body")),
        ({"decision": "ask", "comment": None}, (400, "malformed_body")),
        ({"decision": {"a": [[[]]]}}, (400, "malformed_body")),
    ],
)
async def test_decisions_of_another_shape(world: World, changes: dict[str, Any], refusal: tuple[int, str]) -> None:
    review = await world.proven()
    got = await world.ask("POST", f"/reviews/{review['id']}/decisions", {"comment": "c"} | changes, key=None)
    assert code(got) == refusal


@pytest.mark.parametrize("address", ["f01000", "x", "", "%00", "%ff", "f1", "%F0%9F%98%80"])
async def test_addresses_that_sign_nothing(world: World, address: str) -> None:
    review = await world.proven()
    got = await world.ask("GET", f"/reviews/{review['id']}/approval?address={address}", key=None)
    assert code(got) == (400, "address_unsuited")
    assert (await world.ask("GET", f"/reviews/{review['id']}/approval", key=None)).status == 400


async def test_a_text_without_credentials_tells_what_the_alert_tells(world: World) -> None:
    review = await world.proven(job={"secret": "s3cr3t"})
    got = await world.ask("GET", f"/reviews/{review['id']}/approval?address={NOTARY_F1.to_text('f')}", key=None)
    assert b"s3cr3t" not in got.body
    assert set(document(got)) == {"message", "decision", "address", "expires_at"}
    unknown = await world.ask("GET", f"/reviews/rev_{'0' * 26}/approval?address={NOTARY_F1}", key=None)
    assert code(unknown) == (404, "not_found")


async def test_kept_decisions_cannot_be_changed_and_are_verified_with_the_log(world: World) -> None:
    review = await world.proven()
    await world.decide(review)
    for statement in ("UPDATE reviews.decisions SET comment = 'x'", "DELETE FROM reviews.decisions"):
        with pytest.raises(Exception, match="what was said stays"):
            await world.pool.execute(statement)
    row = await world.pool.fetchrow("SELECT message, signature, notary FROM reviews.decisions")
    assert isinstance(verify_record(dict(row)), Decision)


async def test_the_log_verifies_whoever_brought_the_signatures(world: World) -> None:
    await world.decide(await world.proven())
    text = proof_of(job_id="j-2")
    review = await world.report(job_id="j-2")
    got = await world.ask("POST", f"/reviews/{review['id']}/publisher-proof", text, session=NOTARY_F1)
    assert got.status == 200
    await world.decide(review, NOTARY_0X, "reject")
    async with world.pool.acquire() as connection:
        assert (await verify_database(connection)).signatures == 4
