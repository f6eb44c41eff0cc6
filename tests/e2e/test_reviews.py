"""A review from its report to its decision, through the programs as processes; what signs and verifies isn't ours."""

import json
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from explorer.demo.story import CHAPTERS
from explorer.signatures.texts import text_of
from explorer.signatures.verify import verify_record
from node.address import parse_address
from tests.clusters import CHECKOUT
from tests.e2e.conftest import program_with_demo_records
from tests.e2e.parties import Receiver, answering_http, ask, eth_sign, f1_sign, receiving
from tests.e2e.program import Filplus
from tests.e2e.test_notary_commands import in_terminal
from tests.unit.signatures.builders import NOTARY_0X, NOTARY_F1, OTHER_F1, PUBLISHER_F1, decision, secret

PASSPHRASE = "correct horse battery staple"
FILPLUS_CID, PAST_CID = CHAPTERS[0].cids[0], CHAPTERS[2].cids[0]
TIB = 1 << 40
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Scene:
    """A service, the cluster that asks it, the receiver that it tells, and a notary's key file."""

    program: Filplus
    url: str
    cluster_key: str
    receiver: Receiver
    notary_key: str

    def report(self, job_id: str, **changes: Any) -> dict[str, Any]:
        """A new review."""
        body = {
            "job_id": job_id,
            "job": {"Name": "climate-regrid"},
            "cids": [FILPLUS_CID],
            "publisher": str(PUBLISHER_F1),
            "requested_bytes": str(TIB),
        }
        answer = ask(f"{self.url}/reviews", body | changes, key=self.cluster_key)
        assert answer.status == 201, answer.document
        return dict(answer.document)

    def prove(self, review: dict[str, Any]) -> None:
        """Gives the publisher's proof, signed by coincurve."""
        path = f"{self.url}/reviews/{review['id']}/publisher-proof"
        text = ask(path, key=self.cluster_key).document["message"]
        proof = {"message": text, "signature": f1_sign(secret("publisher"), text)}
        assert ask(path, proof, key=self.cluster_key).status == 200

    def show(self, review: dict[str, Any]) -> dict[str, Any]:
        """The review as it is now."""
        return dict(ask(f"{self.url}/reviews/{review['id']}", key=self.cluster_key).document)

    def review(self, *arguments: str, code: int = 0) -> Any:
        """What `filplus --json review …` prints."""
        return document(self.program("--json", "review", *arguments), code)

    def decide(self, what: str, review: dict[str, Any], *options: str, code: int = 0) -> Any:
        """Decides by the key file, from a terminal where nobody is asked."""
        return self.review(what, review["id"], "--comment", "as it is", "--key", self.notary_key, "--yes", *options,
                           code=code)  # fmt: skip


def document(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A service over the demo's records of mainnet."""
    key_file = str(tmp_path_factory.mktemp("keys") / "notary.json")
    with program_with_demo_records() as program, receiving() as receiver:
        program.environment |= {"FILPLUS_WEBHOOK_ALLOW": "127.0.0.0/8", "FILPLUS_NOTARY_PASSPHRASE": PASSPHRASE}
        made = document(program("--json", "notary", "keygen", "--key", key_file))
        addresses = {"Ada": made["address"], "Ben": str(OTHER_F1), "Eve": str(PUBLISHER_F1), "Cy": str(NOTARY_0X)}
        for name, address in addresses.items():
            document(program("--json", "notary", "add", address, "--name", name))
        receiver.secret = document(program("--json", "webhook", "add", receiver.url))["secret"]
        cluster_key = document(program("--json", "cluster", "add", "berlin"))["key"]
        program.environment["FILPLUS_KEY"] = cluster_key
        with program.serving() as url:
            yield Scene(program, url, cluster_key, receiver, key_file)


def test_a_review_is_reported_told_proved_and_approved(scene: Scene) -> None:
    review = scene.report("approved-1", cids=[FILPLUS_CID, PAST_CID])
    assert [one["verdict"] for one in review["inputs"]] == ["active", "past"]
    [requested] = scene.receiver.told(review["id"], 1)
    assert (requested["type"], requested["data"]["publisher"]) == ("review.requested", str(PUBLISHER_F1))
    assert "publisher" in scene.decide("approve", review, code=7)["error"]["detail"]
    scene.prove(review)
    pinned = ("--publisher", str(PUBLISHER_F1), "--bytes", str(TIB))
    approved = scene.decide("approve", review, *pinned)
    assert scene.decide("approve", review, *pinned)["state"] == "approved", "a lost answer can be asked for again"
    assert "not for 1" in scene.decide("approve", review, "--bytes", "1", code=7)["error"]["detail"]
    assert "not for" in scene.decide("approve", review, "--publisher", str(NOTARY_F1), code=7)["error"]["detail"]
    assert (approved["state"], approved["sentence"]) == ("approved", "approved, waits for DataCap")
    assert scene.receiver.told(review["id"], 2)[1]["data"]["state"] == "approved"
    [kept] = scene.show(review)["decisions"]
    facts: Any = verify_record(kept)
    assert (facts.review_id, facts.grant_id, facts.network) == (review["id"], review["grant_id"], "mainnet")


def test_the_status_tells_what_waits_and_since_when(scene: Scene) -> None:
    def queues() -> Any:
        return ask(f"{scene.url}/status").document["queues"]

    before = queues()
    review = scene.report("waits-1")
    scene.receiver.told(review["id"], 1)
    waiting = queues()
    assert waiting["reviews"]["open"] == before["reviews"]["open"] + 1
    assert waiting["reviews"]["oldest_at"] == (before["reviews"]["oldest_at"] or review["created_at"])
    scene.decide("reject", review)
    scene.receiver.told(review["id"], 2)
    assert queues()["reviews"] == before["reviews"]
    assert queues()["alerts"]["dead"] == 0


def test_a_decision_whose_answer_was_lost_is_found_again(scene: Scene) -> None:
    review = scene.report("lost-1")
    scene.prove(review)
    scene.decide("approve", review)
    again = scene.program("review", "approve", review["id"], "--comment", "x", "--key", scene.notary_key, "--yes")
    assert (again.returncode, "counts once" in again.stderr) == (0, True)
    assert len(scene.show(review)["decisions"]) == 1
    assert "no longer open" in scene.decide("reject", review, code=7)["error"]["detail"]


def test_a_review_is_rejected_by_the_terminal(scene: Scene) -> None:
    review = scene.report("rejected-1")
    rejected = scene.decide("reject", review)
    assert (rejected["state"], rejected["sentence"]) == ("rejected", "rejected by Ada")
    assert scene.receiver.told(review["id"], 2)[1]["type"] == "review.decided"
    verify_record(rejected["decisions"][0])


@pytest.mark.parametrize(
    ("signer", "sign", "name"), [(OTHER_F1, f1_sign, "another notary"), (NOTARY_0X, eth_sign, "notary")]
)
@pytest.mark.parametrize("decided", ["approve", "reject"])
def test_other_libraries_sign(scene: Scene, signer: Any, sign: Any, name: str, decided: str) -> None:
    """coincurve for f1, eth-account for 0x: neither knows this product."""
    review = scene.report(f"{decided}-{signer}")
    scene.prove(review)
    path = f"{scene.url}/reviews/{review['id']}"
    text = ask(f"{path}/approval?decision={decided}&address={signer}").document["message"]
    body = {"decision": decided, "comment": "fine", "message": text, "signature": sign(secret(name), text)}
    after = ask(f"{path}/decisions", body)
    assert (after.status, after.document["state"]) == (200, {"approve": "approved", "reject": "rejected"}[decided])
    assert ask(f"{path}/decisions", body).document["revision"] == after.document["revision"]
    verify_record(after.document["decisions"][0])


def test_a_large_request_takes_two_notaries(scene: Scene) -> None:
    review = scene.report("large-1", requested_bytes=str(1 << 50))
    scene.prove(review)
    first = scene.decide("approve", review)
    assert (first["state"], first["sentence"]) == ("open", "open, waits for 1 more of 2 approvals")
    assert scene.decide("approve", review)["state"] == "open"
    path = f"{scene.url}/reviews/{review['id']}"
    text = ask(f"{path}/approval?decision=approve&address={NOTARY_0X}").document["message"]
    body = {"decision": "approve", "comment": "me too", "message": text, "signature": eth_sign(secret("notary"), text)}
    assert ask(f"{path}/decisions", body).document["state"] == "approved"


def test_publishers_prove_from_the_terminal(scene: Scene, tmp_path: Path) -> None:
    file = str(tmp_path / "publisher.json")
    made = document(scene.program("--json", "notary", "keygen", "--key", file))
    review = scene.report("proved-1", publisher=made["eth_address"])
    proved = scene.review("prove", review["id"], "--key", file, "--yes", "--job", "proved-1")
    verify_record(proved["publisher_proof"])
    assert scene.review("prove", review["id"], "--key", file, "--yes", "--cluster", "paris", code=7)["error"]
    proof = scene.review("prove", "--cluster", "berlin", "--job", "proved-2", "--key", file, "--yes")
    beforehand = scene.report("proved-2", publisher=made["address"], publisher_proof=proof)
    assert beforehand["publisher_proof"]["signature"] == proof["signature"]


def test_lists_and_shows_for_a_cluster_and_a_notary(scene: Scene) -> None:
    review = scene.report("shown-1")
    scene.prove(review)
    listed = scene.review("list", "--limit", "1")
    assert listed["reviews"][0]["id"] == review["id"]
    assert "shown-1" in scene.program("review", "list", "--key", scene.notary_key).stdout
    assert scene.review("show", review["id"], "--key", scene.notary_key) == scene.show(review)
    scene.decide("approve", review)
    shown = scene.program("review", "show", review["id"]).stdout
    assert shown.count("signature verified") == 2
    assert "approved, waits for DataCap" in shown


def test_nothing_that_a_cluster_wrote_moves_the_cursor(scene: Scene) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07[red]x[/red]\u202e\x9b31m"
    results = {"outputs": [], "exit_code": 1, "log_tail": f"{evil}\r\n{evil}"}
    review = scene.report(evil, job={evil: [evil, 10**30]}, results=results)
    path = f"{scene.url}/reviews/{review['id']}/comments"
    assert ask(path, {"comment": evil}, key=scene.cluster_key).status == 200
    for command in (["show", review["id"]], ["list"]):
        shown = scene.program("review", *command)
        assert shown.returncode == 0, shown.stderr
        assert not {char for char in shown.stdout if not char.isprintable()} - {"\n"}
        assert "[red]x[/red]" in shown.stdout.replace("\n", "")
    assert scene.review("show", review["id"])["job"] == {evil: [evil, 10**30]}


def test_a_person_sees_it_and_may_say_no(scene: Scene) -> None:
    review = scene.report("asked-1")
    arguments = ("review", "reject", review["id"], "--comment", "no", "--key", scene.notary_key)
    code, shown = in_terminal(scene.program, *arguments, typed=[("Passphrase: ", PASSPHRASE), ("[y/N] ", "n")])
    assert (code, "Nothing was signed" in shown) == (7, True)
    for said in ("I reject a grant of 1099511627776 bytes (1 TiB)", str(PUBLISHER_F1), "mainnet", "59 minutes"):
        assert said in shown
    assert scene.show(review)["state"] == "open"
    code, shown = in_terminal(scene.program, *arguments, typed=[("Passphrase: ", PASSPHRASE), ("[y/N] ", "y")])
    assert (code, scene.show(review)["state"]) == (0, "rejected")


def test_refusals_have_their_exit_codes(scene: Scene, tmp_path: Path) -> None:
    nobody = str(tmp_path / "nobody.json")
    document(scene.program("--json", "notary", "keygen", "--key", nobody))
    review = scene.report("refused-1")
    assert scene.review("show", "rev_" + "0" * 26, code=3)
    assert scene.review("show", "../me", code=3)
    assert "no registered notary" in scene.decide("approve", review, "--key", nobody, code=7)["error"]["detail"]
    assert (
        "isn't an address of" in scene.decide("approve", review, "--address", str(NOTARY_F1), code=7)["error"]["detail"]
    )
    assert "--network mainnet" in scene.decide("reject", review, "--network", "calibration", code=7)["error"]["detail"]
    assert "bytes" in scene.decide("reject", review, "--bytes", "1", code=7)["error"]["detail"]
    assert scene.review("list", "--key", nobody, code=7)
    elsewhere = scene.program("--url", "http://127.0.0.1:9", "review", "list")
    assert (elsewhere.returncode, "no explorer answers" in elsewhere.stderr) == (6, True)
    assert scene.show(review)["state"] == "open"


def test_too_many_requests_and_a_failing_explorer_have_theirs(scene: Scene) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(429 if "limit=1" in self.path else 503)
            self.end_headers()
            self.wfile.write(b'{"code":"no","detail":"not \\u001b[31mnow"}')

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with answering_http(Refusing) as url:
        for limit, code in (("1", 5), ("2", 6)):
            done = scene.program("--url", url, "review", "list", "--limit", limit)
            assert (done.returncode, "not U+001B[31mnow" in done.stderr) == (code, True)


LIES: dict[str, dict[str, Any]] = {
    "another review": {"review_id": "rev_" + "1" * 26},
    "another decision": {"decision": "reject"},
    "another network": {"network": "calibration"},
    "another explorer": {"domain": "explorer.example.org"},
    "another signer": {"signer": OTHER_F1},
    "for a year": {"expires_at": NOW + timedelta(days=365)},
    "that is over": {"expires_at": NOW - timedelta(seconds=1)},
    "no text of ours": {},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_lying_explorer_sends_is_not_signed(scene: Scene, lie: str) -> None:
    asked, posted = "rev_" + "0" * 26, []

    class Liar(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            honest: dict[str, Any] = {
                "review_id": asked,
                "signer": parse_address(parse_qs(urlsplit(self.path).query)["address"][0]),
                "domain": self.headers["Host"],
                "issued_at": NOW - timedelta(minutes=1),
                "expires_at": NOW + timedelta(hours=1),
            }
            text = text_of(decision(**honest | LIES[lie]))
            self.answer({"message": text if LIES[lie] else f"{text}\nAnd all my FIL to f1xyz"})

        def do_POST(self) -> None:
            posted.append(self.path)
            self.answer({"state": "approved"})

        def answer(self, body: Any) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with answering_http(Liar) as url:
        arguments = ("approve", asked, "--comment", "x", "--key", scene.notary_key, "--yes")
        done = scene.program("--url", url, "review", *arguments)
    assert (done.returncode, posted) == (1 if lie == "no text of ours" else 7, []), done.stderr


def test_what_the_page_for_clusters_prints_works(scene: Scene, tmp_path: Path) -> None:
    page = (CHECKOUT / "docs" / "cluster-developer.md").read_text()
    section = page.partition("## Report a job\n")[2].partition("\n## ")[0]
    [body] = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    (tmp_path / "review.json").write_text(body)
    environment = scene.program.environment | {"FILPLUS_URL": scene.url}
    answers: list[dict[str, Any]] = []
    for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
        environment["REVIEW"] = answers[0]["id"] if answers else ""
        command = ["bash", "-ec", block.replace("curl -sS", "curl -sS --fail-with-body -w '\\n'")]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        answers += [json.loads(line) for line in done.stdout.splitlines()]
    reported, proof, results, shown, listed, said, withdrawn, reopened = answers
    assert "publisher's proof" in proof["message"]
    assert (results["results"]["exit_code"], shown["id"]) == (0, reported["id"])
    assert reported["id"] in [one["id"] for one in listed["reviews"]]
    assert said["comments"][0]["comment"].startswith("The source")
    assert [one["state"] for one in (reported, withdrawn, reopened)] == ["open", "withdrawn", "open"]


def test_the_log_verifies_until_a_bit_is_flipped(scene: Scene, tmp_path: Path) -> None:
    review = scene.report("audited-1")
    scene.prove(review)
    scene.decide("approve", review)
    verified = document(scene.program("--json", "audit", "verify"))
    assert (verified["ok"], verified["signatures"] >= 2) == (True, True)
    file = tmp_path / "log.ndjson"
    document(scene.program("--json", "audit", "export", "-o", str(file)))
    whole = bytearray(file.read_bytes())
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    place, bit = random.Random(seed).randrange(len(whole) - 1), random.Random(seed).randrange(8)
    whole[place] ^= 1 << bit
    file.write_bytes(whole)
    found = document(scene.program("--json", "audit", "verify", str(file)), 1)
    assert found["ok"] is False
