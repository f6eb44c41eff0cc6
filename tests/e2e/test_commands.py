"""The program `filplus` as its users run it: a process with arguments, an exit code and two streams."""

import json
import subprocess
import urllib.request
from pathlib import Path

import pytest

from explorer.demo.story import CHAPTERS, dump_path
from explorer.ground.service_file import running_service
from tests.e2e.program import PROGRAM, Filplus
from tests.patience import PATIENCE_S

ACTIVE = CHAPTERS[0].cids[0]
PAST = CHAPTERS[2].cids[0]
UNKNOWN = CHAPTERS[3].cids[0]


@pytest.fixture
def filplus(data_dir: Path) -> Filplus:
    """The program on an empty data directory with an embedded database."""
    return Filplus(data_dir)


def test_cid_says_the_verdict_by_its_exit_code(filled: Filplus) -> None:
    codes = {cid: filled("cid", cid).returncode for cid in (ACTIVE, PAST, UNKNOWN, "bafyno")}
    assert codes == {ACTIVE: 0, PAST: 4, UNKNOWN: 8, "bafyno": 2}


def test_several_cids_end_with_the_first_code_that_applies(filled: Filplus) -> None:
    assert filled("cid", ACTIVE, ACTIVE.upper()).returncode == 0
    assert filled("cid", ACTIVE, UNKNOWN).returncode == 8
    assert filled("cid", UNKNOWN, PAST, ACTIVE).returncode == 4
    assert filled("cid", PAST, "bafyno", ACTIVE).returncode == 2


def test_cid_json_is_the_document_for_one_and_results_for_several(filled: Filplus) -> None:
    one = json.loads(filled("--json", "cid", ACTIVE).stdout)
    assert (one["cid"], one["verdict"], one["filplus"]) == (ACTIVE, "active", True)
    several = json.loads(filled("cid", ACTIVE, "no cid", "--json").stdout)
    assert [row["cid"] for row in several["results"]] == [ACTIVE, "no cid"]
    assert several["results"][1]["error"]["code"] == "malformed_cid"


def test_cid_reads_standard_input(filled: Filplus) -> None:
    done = filled("--json", "cid", "-", stdin=f"{ACTIVE}\n{PAST}\n\n")
    assert [row["verdict"] for row in json.loads(done.stdout)["results"]] == ["active", "past"]


def test_cid_of_an_empty_index_is_unknown_and_beyond_it_is_usage(filplus: Filplus) -> None:
    assert filplus("cid", ACTIVE).returncode == 8
    assert filplus("cid", ACTIVE, "--at-epoch", "1").returncode == 2
    assert filplus("cid", ACTIVE, "--at-epoch", "soon").returncode == 2


def test_cid_asks_the_service_beside_it_and_the_named_one(filled: Filplus, tmp_path: Path) -> None:
    with filled.serving() as url:
        assert filled("cid", ACTIVE).returncode == 0
        elsewhere = Filplus(tmp_path, FILPLUS_URL=url)
        assert elsewhere("cid", ACTIVE).returncode == 0
        assert elsewhere("cid", "bafyno").returncode == 2
        assert not (tmp_path / "postgres").exists()
    assert running_service(filled.data_dir) is None


def test_nobody_to_ask_is_unreachable(filplus: Filplus) -> None:
    done = filplus("--url", "http://127.0.0.1:9", "cid", ACTIVE)
    assert done.returncode == 6
    assert "127.0.0.1:9" in done.stderr


def test_a_service_file_of_a_dead_process_is_passed_over(filled: Filplus) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (filled.data_dir / "service.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "pid": dead.pid}))
    assert filled("cid", ACTIVE).returncode == 0


def test_import_beside_a_running_service_shows_at_once(filplus: Filplus) -> None:
    with filplus.serving() as url:
        assert _verdict(url, ACTIVE) == "unknown"
        assert filplus("index", "import", dump_path("claims.json")).returncode == 0
        assert _verdict(url, ACTIVE) == "active"


def test_import_report_adds_up(filplus: Filplus) -> None:
    first = json.loads(filplus("--json", "index", "import", dump_path("claims.json"), "--at-epoch", "4900000").stdout)
    again = json.loads(filplus("--json", "index", "import", dump_path("claims.json"), "--at-epoch", "4900000").stdout)
    [one], [two] = first["files"], again["files"]
    assert one["records"] == one["added"] + one["changed"] + one["unchanged"] + sum(one["rejected"].values())
    assert (two["added"], two["changed"], two["removed"], two["unchanged"]) == (0, 0, 0, one["records"])


def test_a_file_that_is_cut_off_exits_1_and_changes_nothing(filplus: Filplus, tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    whole = Path(dump_path("claims.json")).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    done = filplus("--json", "index", "import", str(cut), "--at-epoch", "4900000")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["type"] == "CorruptFile"
    status = json.loads(filplus("--json", "index", "status").stdout)
    assert (status["index"]["epoch"], status["index"]["coverage"], status["index"]["counts"]["claims"]) == (None, [], 0)


def test_another_network_is_refused(filled: Filplus) -> None:
    done = filled("index", "import", dump_path("claims.json"), "--network", "calibration")
    assert done.returncode == 1
    assert "FILPLUS_NETWORK=mainnet" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("index", "import", "--kind", "pieces", "x.csv"),
        ("index", "import", "--kind", "cheese", "x.json"),
        ("index", "import", "-", "-"),
        ("index", "import", "x.json", "--network", "testnet"),
        ("index", "import", "x.json", "--at-epoch", "-1"),
        ("-o", "yaml", "version"),
        ("cid",),
        ("nonsense",),
    ],
)
def test_wrong_usage_exits_2(filplus: Filplus, arguments: tuple[str, ...]) -> None:
    done = filplus(*arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_named(filplus: Filplus) -> None:
    done = filplus("index", "import", "/nowhere/deals.json")
    assert done.returncode == 1
    assert "/nowhere/deals.json" in done.stderr


def test_check_says_what_works(filled: Filplus) -> None:
    found = json.loads(filled("--json", "check").stdout)
    states = {row["component"]: row["state"] for row in found["components"]}
    assert found["ok"]
    assert states["database"] == states["schema"] == "ok"
    assert states["index"] == "note"


def test_check_of_an_unreachable_database_fails_with_a_remedy(data_dir: Path) -> None:
    broken = Filplus(data_dir, FILPLUS_DATABASE_URL="postgresql://nobody:secret@127.0.0.1:9/none")
    done = broken("check")
    assert done.returncode == 1
    assert "secret" not in done.stdout + done.stderr
    assert broken("cid", ACTIVE).returncode == 6


def test_a_taken_address_is_named(filled: Filplus) -> None:
    with filled.serving() as url:
        done = filled("serve", "--listen", url.removeprefix("http://"))
    assert done.returncode == 2
    assert "--listen" in done.stderr


def test_a_killed_server_leaves_nothing_that_the_next_cannot_clear(filled: Filplus) -> None:
    server = subprocess.Popen([PROGRAM, "serve"], env=filled.environment, stderr=subprocess.DEVNULL)
    filled.address(server)
    server.kill()
    server.wait()
    with filled.serving() as url:
        assert _verdict(url, ACTIVE) == "active"


def _verdict(url: str, cid: str) -> str:
    with urllib.request.urlopen(f"{url}/cid/{cid}/filplus", timeout=PATIENCE_S) as answer:
        return str(json.load(answer)["verdict"])
