"""A review's page and its forms: what is looked up anew, what comes next, and what nobody should have sent."""

import io
import re
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from explorer.access.notaries import add_notary, find_notary, revoke_notary
from explorer.access.sessions import begin_session
from explorer.index.service import IndexService
from explorer.parties.resolving import Resolver
from explorer.parties.service import PartyService
from explorer.reviews import dossier
from node.address import Address
from node.lotus.in_process import InProcessTransport
from node.lotus.limits import Retries
from node.lotus.opening import lotus_chain
from node.network import NETWORKS
from node.sim.chain import SimulatedChain
from node.sim.options import Options
from node.sim.rpc.dispatch import Dispatcher, open_node
from tests.e2e.conftest import Got
from tests.e2e.fake_index import ACTIVE, HEAD_TIME, NONE, PAYLOAD, FakeIndex
from tests.integration.forms import FORM, encoded, spoiled
from tests.integration.reviews.conftest import OPERATOR, PUBLIC_URL, World, document, opened_world, signature_of
from tests.unit.index.dumps import piece_text
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, OTHER_F1, PUBLISHER_F1

PAGE = {"Accept": "text/html"}
CLIENT, PROVIDER = "f03300309", "f01000"
"""The client of the active input, and somebody else."""


async def looked_at(world: World, path: str, who: Address = NOTARY_F1) -> str:
    """The page's text, its tags left out."""
    got = await world.ask("GET", path, session=who, headers=PAGE)
    assert got.status == 200, got.body
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", got.body.decode()))


async def post(world: World, path: str, raw: bytes, who: Address | None = NOTARY_F1) -> Got:
    """The answer to a form as a browser sends it."""
    headers = {**PAGE, "Content-Type": FORM, "Origin": PUBLIC_URL}
    if who is not None:
        headers["Cookie"] = f"__Host-filplus-session={world.cookies[who]}"
    return await world.client.ask("POST", path, headers=headers, data=io.BytesIO(raw))


@pytest.mark.parametrize("action", ["approve", "reject", "ask", "comment", "dance"])
@pytest.mark.parametrize("who", [NOTARY_F1, None])
async def test_whatever_is_wrong_with_a_reviews_form_is_refused(world: World, action: str, who: Address | None) -> None:
    review = await world.report()
    path = f"/reviews/{review['id']}"
    fields = {"action": action, "comment": "because", "message": "a text", "signature": "01ab"}
    for raw in spoiled(fields):
        got = await post(world, path, raw, who)
        is_said = got.status == 303 and action in ("comment", "ask") and who is not None
        assert is_said or 400 <= got.status < 500, (raw[:100], got.status, got.body[-300:])
    assert (await world.show(review))["state"] == "open"


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"action": "ask", "message": "x"}, 400, "Say in a sentence why"),
        ({"action": "ask", "message": "x", "comment": "\u200b"}, 400, "says nothing that can be seen"),
        ({"comment": "typed and kept"}, 400, "doesn&#39;t say what to do"),
        ({"action": "approve", "comment": "typed and kept"}, 400, "The signature is missing"),
        ({"action": "ask", "comment": f"typed and kept{'!' * 4000}"}, 400, "at most 4000 characters"),
        ({"action": "dance", "comment": "typed and kept"}, 400, "Action must be"),
    ],
)
async def test_a_form_that_is_not_taken_comes_back_with_what_was_typed(
    world: World, form: dict[str, str], status: int, words: str
) -> None:
    review = await world.report()
    got = await post(world, f"/reviews/{review['id']}", encoded(form))
    page = got.body.decode()
    assert (got.status, got.headers["Content-Type"]) == (status, "text/html; charset=utf-8"), page[:500]
    [notice] = re.findall(r"<div class=\"notice bad\".*?</div>", page, re.DOTALL)
    assert words in notice
    assert f">{form.get('comment', '')}" in page


async def test_a_decision_that_comes_too_late_keeps_its_reason(world: World) -> None:
    review = await world.report()
    text = await world.text(review, decision="reject")
    assert (await world.decide(review, decision="reject")).status == 200
    form = {"action": "reject", "comment": "my reason", "message": text, "signature": "01ab"}
    got = await post(world, f"/reviews/{review['id']}", encoded(form))
    assert 400 <= got.status < 500
    assert b">my reason</textarea>" in got.body
    assert b"This was decided while you were here" in got.body


async def test_going_back_after_deciding_blames_nobody_else(world: World) -> None:
    review = await world.report()
    assert (await world.decide(review, decision="reject")).status == 200
    page = await looked_at(world, f"/reviews/{review['id']}?decide=reject")
    assert "You said reject" in page
    assert "while you were here" not in page
    assert "Reject this" not in page


async def test_who_signed_after_the_session_ended_is_told_that_it_counts(world: World) -> None:
    review = await world.report()
    text = await world.text(review, decision="reject")
    form = {"action": "reject", "comment": "no", "message": text, "signature": f" {signature_of(NOTARY_F1, text)} "}
    got = await post(world, f"/reviews/{review['id']}", encoded(form), None)
    assert (got.status, b"Your decision is taken" in got.body) == (200, True)
    assert f"next={quote('/reviews/' + review['id'] + '#decided', safe='')}".encode() in got.body
    assert (await world.show(review))["state"] == "rejected"


class TurningIndex(FakeIndex):
    """An index that forgets, when it is told to, that the payload is FIL+."""

    turned = False
    asked: int = 0

    async def verdicts(self, cids: Any, **asked: Any) -> Any:
        self.asked = len(cids)
        found = await super().verdicts(cids, **asked)
        if self.turned:
            found["results"] = [
                {**row, "filplus": False, "verdict": "past"} if row["cid"] == PAYLOAD else row
                for row in found["results"]
            ]
        return found


@pytest.fixture
def index() -> FakeIndex:
    return TurningIndex()


async def test_every_input_is_looked_up_anew_and_what_changed_is_said(world: World, index: TurningIndex) -> None:
    inputs = [ACTIVE, *[NONE] * 8, PAYLOAD]
    review = await world.report(cids=inputs)
    path = f"/reviews/{review['id']}"
    before = await looked_at(world, path)
    assert re.search(r"All are looked up anew, as of [^.]* ago \. No verdict has changed\.", before)
    index.turned = True
    after = await looked_at(world, path)
    assert index.asked == review["inputs_total"]
    assert "1 has another verdict now" in after
    assert "now: Was FIL+" in after
    assert "was FIL+ when it was asked, and isn&#39;t any more" in after
    assert after.index("now: Was FIL+") < after.index("Not FIL+"), "what changed comes first"


async def test_beyond_the_limit_the_page_says_how_many_are_as_they_were(
    world: World, index: TurningIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dossier, "LOOKED_UP", 2)
    review = await world.report(cids=[ACTIVE, NONE, PAYLOAD])
    page = await looked_at(world, f"/reviews/{review['id']}")
    assert "The first 2 are looked up anew; 1 more, as they were when the review was posted." in page
    assert index.asked == 2


async def test_whether_the_publisher_stored_the_data_is_told_where_a_node_knows_it(
    pool: asyncpg.Pool, index: TurningIndex
) -> None:
    dispatcher = Dispatcher(open_node(SimulatedChain(Options(seed=5))))
    dispatcher.call("Sim.Allocate", [CLIENT, PROVIDER, [{"piece_cid": piece_text(1), "size_bytes": 1 << 30}]])
    key = str(dispatcher.call("Filecoin.StateAccountKey", [CLIENT, None]))
    chain = lotus_chain([InProcessTransport(dispatcher)], retries=Retries(rounds=1))
    known = IndexService(pool=pool, network=NETWORKS["mainnet"], now=lambda: HEAD_TIME)
    parties = PartyService(index=known, names=Resolver(chain=lambda: chain))
    async with opened_world(pool, index, parties=parties) as world:
        page = await looked_at(world, f"/reviews/{(await world.report(publisher=key))['id']}")
        assert f"The publisher, {CLIENT}, is itself client of the data." in page
        assert f"What it stored by itself: {CLIENT} as a client" in page
        page = await looked_at(world, f"/publishers/{key}")
        assert f"What it stored by itself: {CLIENT} as a client" in page
        page = await looked_at(world, f"/reviews/{(await world.report(job_id='of a stranger'))['id']}")
        assert "nobody has told this address" in page
        assert "is not known here" in page
        page = await looked_at(world, f"/publishers/{PUBLISHER_F1}")
        assert "nobody has told this address" in page


async def test_a_name_that_mixes_alphabets_is_marked_wherever_it_stands_in_a_list(world: World) -> None:
    mixed = await world.report(job_id="climate-d\u0430ta")
    await world.report(job_id="\u0434\u0430\u043d\u043d\u044b\u0435 \u6c34")
    for path in ("/reviews", "/reviews?state=open", f"/publishers/{PUBLISHER_F1}"):
        assert (await looked_at(world, path)).count(" mixes Cyrillic and Latin ") == 1, path
    said = {"decision": "ask", "comment": "Whose is it?"}
    await world.ask("POST", f"/reviews/{mixed['id']}/decisions", said, session=NOTARY_F1)
    for path in ("/me", f"/notaries/{NOTARY_F1}", "/reviews"):
        assert (await looked_at(world, path)).count(" mixes Cyrillic and Latin ") == 1, path


async def test_one_after_the_other_every_review_that_waits_comes_next(world: World) -> None:
    ids = [(await world.proven(job_id=f"j-{number}"))["id"] for number in range(3)]
    for one, following in pairwise([*ids, ids[0]]):
        got = await world.ask("GET", f"/reviews/{one}", session=NOTARY_F1, headers=PAGE)
        assert re.findall(r'href="/reviews/(rev_\w+)" data-hotkey="n"', got.body.decode()) == [following]
    for number, one in enumerate(ids):
        assert (await world.decide({"id": one})).status == 200
        page = await looked_at(world, f"/reviews/{one}")
        assert ("Next that waits for you j-" in page) == (number < 2)
    assert "Nothing else waits for you." in page


@pytest.mark.parametrize("leads_to", ["//evil.example", "https://evil.example/", "/\\evil.example"])
async def test_nobody_is_led_away_by_the_address_of_the_sign_in(world: World, leads_to: str) -> None:
    got = await world.client.ask("GET", f"/sign-in?next={quote(leads_to, safe='')}", headers=PAGE)
    assert b"evil.example" not in got.body
    signed_in = await world.ask("GET", f"/sign-in?next={quote(leads_to, safe='')}", session=NOTARY_F1, headers=PAGE)
    assert (signed_in.status, signed_in.headers["Location"]) == (303, "/reviews")


async def test_who_opens_a_review_comes_back_to_it_after_signing_in(world: World) -> None:
    review = await world.report()
    path = f"/reviews/{review['id']}?decide=approve"
    got = await world.ask("GET", path, key=None, headers=PAGE)
    assert (got.status, got.headers["Location"]) == (303, f"/sign-in?next={quote(path, safe='')}")
    shown = await world.client.ask("GET", got.headers["Location"], headers=PAGE)
    assert f'data-next="{path}"'.encode() in shown.body
    back = await world.ask("GET", got.headers["Location"], session=NOTARY_F1, headers=PAGE)
    assert back.headers["Location"] == path


async def test_whose_key_has_approved_is_told_so_from_the_start_under_its_other_address(world: World) -> None:
    review = await world.proven(requested_bytes=str(1 << 50))
    assert (await world.decide(review)).status == 200
    for query in ("", "?decide=approve", "?decide=ask"):
        page = await looked_at(world, f"/reviews/{review['id']}{query}", NOTARY_0X)
        assert f"{NOTARY_0X} has approved in this round already, as {NOTARY_F1}" in page
        assert "Reject" not in page
    assert "Reject" in await looked_at(world, f"/reviews/{review['id']}", OTHER_F1)


async def test_who_was_revoked_and_returned_is_offered_nothing_in_that_round(world: World) -> None:
    review = await world.proven(requested_bytes=str(1 << 50))
    assert (await world.decide(review)).status == 200
    async with world.pool.acquire() as connection:
        await revoke_notary(connection, str(NOTARY_F1), by=OPERATOR)
        await add_notary(connection, NOTARY_F1, "Ada", by=OPERATOR)
        returned = await find_notary(connection, NOTARY_F1)
        assert returned is not None
        world.cookies[NOTARY_F1] = await begin_session(connection, returned)
    for query in ("", "?decide=approve", "?decide=reject"):
        page = await looked_at(world, f"/reviews/{review['id']}{query}", NOTARY_F1)
        assert "was revoked and added again: that approval counts no more" in page
        assert "Reject" not in page


async def test_nobody_is_offered_to_decide_their_own(world: World) -> None:
    review = await world.report(publisher=str(NOTARY_0X))
    page = await looked_at(world, f"/reviews/{review['id']}", NOTARY_0X)
    assert "the publisher&#39;s own; another notary has to decide" in page
    assert "Reject" not in page


async def test_a_decision_given_back_to_who_may_not_decide_keeps_its_reason(world: World) -> None:
    review = await world.proven(requested_bytes=str(1 << 50))
    assert (await world.decide(review)).status == 200
    form = {"action": "ask", "comment": "my question"}
    got = await post(world, f"/reviews/{review['id']}", encoded(form), NOTARY_0X)
    assert 400 <= got.status < 500
    assert b">my question</textarea>" in got.body
    assert b"Only comment" in got.body


@pytest.mark.parametrize(("state", "words"), [("withdrawn", "This was withdrawn"), ("expired", "The deadline passed")])
async def test_what_befell_a_review_meanwhile_is_called_by_its_name(world: World, state: str, words: str) -> None:
    review = await world.report()
    query = "UPDATE reviews.reviews SET state = $1::text::reviews.state WHERE id = $2"
    await world.pool.execute(query, state, review["id"])
    page = await looked_at(world, f"/reviews/{review['id']}?decide=reject")
    assert f"{words} while you were here." in page
    assert "Reject this" not in page


async def test_the_addresses_of_one_key_lead_to_each_other_once_it_has_signed(world: World) -> None:
    review = await world.proven(requested_bytes=str(1 << 50))
    pairs = [(NOTARY_F1, NOTARY_0X), (NOTARY_0X, NOTARY_F1)]
    for one, _ in pairs:
        assert document(await world.ask("GET", f"/notaries/{one}", session=OTHER_F1))["same_key"] == []
    assert (await world.decide(review)).status == 200
    for one, other in pairs:
        found = document(await world.ask("GET", f"/notaries/{one}", session=OTHER_F1))["same_key"]
        assert [known["address"] for known in found] == [str(other)]
        for path in (f"/notaries/{one}", "/me"):
            assert f"The same key is also {other}" in await looked_at(world, path, one)
    assert document(await world.ask("GET", f"/notaries/{OTHER_F1}", session=OTHER_F1))["same_key"] == []
