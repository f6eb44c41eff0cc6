"""`filplus index verify` and `index digest` from outside: a node, an index of its state, and what they print."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.demo.story import dump_path
from tests.clusters import open_folder
from tests.e2e.program import Filplus
from tests.e2e.test_chain_serve import ask

NOBODY = "http://127.0.0.1:9/rpc/v1"


@pytest.fixture(scope="module")
def program() -> Iterator[Filplus]:
    """The program on a simulated network, with an index of the whole state of its node."""
    files = (dump_path("claims.json"), dump_path("deals.json"))
    with open_folder() as folder:
        program = Filplus(folder / "data", FILPLUS_NETWORK="simulated")
        with program.chain("--from", *files, "--block-time", "0") as url, program.database():
            program.environment["FILPLUS_CHAIN_URL"] = url
            _import_state(program, url, folder)
            yield program


def _import_state(program: Filplus, url: str, folder: Path) -> None:
    """Imports the state of the node's head, whole."""
    ask(url, "Sim.Mine", 2)
    epoch = ask(url, "Filecoin.ChainHead")["Height"]
    for method, kind in (
        ("StateGetAllClaims", "claims"),
        ("StateGetAllAllocations", "allocations"),
        ("StateMarketDeals", "deals"),
    ):
        file = folder / f"{kind}.json"
        file.write_text(json.dumps(ask(url, f"Filecoin.{method}", [])))
        done = program("index", "import", str(file), "--kind", kind, "--at-epoch", str(epoch))
        assert done.returncode == 0, done.stderr


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def epoch_of(program: Filplus) -> str:
    return str(document(program("--json", "index", "status"))["index"]["epoch"])


def test_the_same_state_has_no_drift(program: Filplus) -> None:
    epoch = epoch_of(program)
    done = program("--json", "index", "verify", "--at-epoch", epoch, "--all")
    found = document(done)
    assert (done.returncode, found["drifted"], found["scope"]) == (0, 0, {"what": "all"})
    assert found["compared"]["claims"]["index"] == found["compared"]["claims"]["node"] > 0
    last = document(program("--json", "index", "status"))["index"]["verification"]
    assert (last["epoch"], last["what"], last["drifted"]) == (int(epoch), "all", 0)
    assert "no drift" in program("index", "status").stdout


def test_a_sample_says_its_seed_and_can_be_drawn_again(program: Filplus) -> None:
    first = program("--json", "index", "verify", "--at-epoch", epoch_of(program), "--sample", "3")
    scope = document(first)["scope"]
    again = program(
        *("--json", "index", "verify", "--at-epoch", epoch_of(program), "--sample", "3"), "--seed", str(scope["seed"])
    )
    assert (first.returncode, again.returncode) == (0, 0)
    assert document(again)["scope"] == scope
    assert len(scope["providers"]) == 3


def test_drift_exits_1_and_is_described(program: Filplus) -> None:
    epoch = epoch_of(program)
    url = program.environment["FILPLUS_CHAIN_URL"]
    claim_id, claim = next(iter(ask(url, "Filecoin.StateGetAllClaims", []).items()))
    with open_folder() as folder:
        _change(program, folder, claim_id, claim | {"Sector": claim["Sector"] + 1}, epoch)
        provider = f"f0{claim['Provider']}"
        done = program("--json", "index", "verify", "--at-epoch", epoch, "--providers", provider)
        [example] = document(done)["examples"]
        assert (done.returncode, example["what"], str(example["id"])) == (1, "different", claim_id)
        assert example["fields"]["sector"] == {"index": claim["Sector"] + 1, "node": claim["Sector"]}
        people = program("index", "verify", "--at-epoch", epoch, "--all")
        assert people.returncode == 1
        sides = f"sector: index {claim['Sector'] + 1}, node {claim['Sector']}"
        assert f"claim {claim_id} different ({sides})" in people.stdout
        assert "Nothing was changed" in people.stdout
        _change(program, folder, claim_id, claim, epoch)
    assert program("index", "verify", "--at-epoch", epoch, "--all").returncode == 0


def _change(program: Filplus, folder: Path, claim_id: str, claim: Any, epoch: str) -> None:
    file = folder / "one.json"
    file.write_text(json.dumps({claim_id: claim}))
    done = program("index", "import", str(file), "--kind", "claims", "--at-epoch", epoch, "--partial")
    assert done.returncode == 0, done.stderr


def test_nobody_to_ask_exits_6_and_changes_nothing(program: Filplus) -> None:
    before = document(program("--json", "index", "status"))["index"]["verification"]
    alone = Filplus(program.data_dir, FILPLUS_NETWORK="simulated", FILPLUS_CHAIN_URL=NOBODY)
    done = alone("--json", "index", "verify", "--at-epoch", epoch_of(program))
    assert done.returncode == 6
    assert document(done)["error"]["type"] == "NodeUnreachable"
    assert "127.0.0.1:9" in done.stderr
    assert document(program("--json", "index", "status"))["index"]["verification"] == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--all", "--sample", "3"),
        ("verify", "--providers", "f1abc"),
        ("verify", "--sample", "0"),
        ("verify", "--at-epoch", "x"),
        ("verify", "--at-epoch", "99999999"),
        ("verify",),  # nothing was followed, so nothing is known to be final
        ("digest", "--at-epoch", "-1"),
        ("digest", "--at-epoch", "99999999"),
    ],
)
def test_what_cannot_be_meant_exits_2(program: Filplus, arguments: tuple[str, ...]) -> None:
    assert program("index", *arguments).returncode == 2


def test_without_a_node_verify_says_what_to_set(program: Filplus) -> None:
    alone = Filplus(program.data_dir, FILPLUS_NETWORK="simulated")
    done = alone("index", "verify")
    assert done.returncode == 2
    assert "FILPLUS_CHAIN_URL" in done.stderr


def test_a_digest_is_the_same_for_the_same_state(program: Filplus) -> None:
    epoch = epoch_of(program)
    first, again = (document(program("--json", "index", "digest")) for _ in range(2))
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert (first["epoch"], first["network"], first["gaps"]) == (int(epoch), "simulated", {})
    assert len(first["digest"]) == 64
    people = program("index", "digest", "--at-epoch", epoch)
    assert people.returncode == 0
    assert f"digest {first['digest']}" in people.stdout
    for kind in ("claims", "deals", "allocations"):
        assert first["kinds"][kind]["sum"] in people.stdout.split()


def test_a_digest_of_an_epoch_that_is_not_covered_is_none(program: Filplus) -> None:
    done = program("--json", "index", "digest", "--at-epoch", "1")
    assert done.returncode == 1
    assert document(done)["digest"] is None
    assert document(done)["gaps"].keys() == {"claims", "allocations", "deals"}
    people = program("index", "digest", "--at-epoch", "1")
    assert (people.returncode, "There is no digest of it all." in people.stdout) == (1, True)
    assert "claims not known: the index doesn't hold every record of claims at epoch 1" in people.stdout
    assert "allocations not known: the index doesn't hold every record of allocations at epoch 1, nor" in people.stdout


def test_a_provider_that_nobody_knows_is_not_called_right(program: Filplus) -> None:
    epoch = epoch_of(program)
    done = program("index", "verify", "--at-epoch", epoch, "--providers", "f0999")
    assert done.returncode == 1
    assert "not compared f0999: neither the index nor the node has a claim of it" in done.stdout
    assert "Nothing was compared" in done.stdout
    assert "No drift" not in done.stdout
    assert "nothing was compared" in program("index", "status").stdout
    found = program("--json", "index", "verify", "--at-epoch", epoch, "--providers", "f0999")
    assert (found.returncode, document(found)["scope"]["without_claims"]) == (1, ["f0999"])


def test_an_epoch_without_a_tipset_is_said_to_be_one(program: Filplus) -> None:
    done = program("index", "verify", "--at-epoch", "1", "--all")
    assert done.returncode == 1, "nothing is covered there"
    assert "Epoch 1 has no tipset, it is a null round" in done.stdout


@pytest.mark.parametrize("first", ["answers", "fails"])
def test_the_nodes_that_answered_are_named(program: Filplus, first: str) -> None:
    url = program.environment["FILPLUS_CHAIN_URL"]
    urls = [url, NOBODY] if first == "answers" else [NOBODY, url]
    both = Filplus(program.data_dir, FILPLUS_NETWORK="simulated", FILPLUS_CHAIN_URL=",".join(urls))
    arguments = ("index", "verify", "--at-epoch", epoch_of(program), "--all")
    done, place = both(*arguments), url.split("/")[2]
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Compared with {place} at epoch ")
    assert "not compared with 127.0.0.1:9: one node is asked, the next if it fails" in done.stdout
    assert document(both("--json", *arguments))["node"] == place
