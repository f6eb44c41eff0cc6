"""`filplus cluster` beside a running service: what it changes holds at once, and no key is ever logged."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from Crypto.PublicKey import ECC

from tests.clusters import open_folder
from tests.e2e.program import PROGRAM, Filplus
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def program() -> Iterator[Filplus]:
    """The program on a data directory whose database runs."""
    with open_folder() as folder:
        filplus = Filplus(folder / "data")
        done = filplus("migrate")
        assert done.returncode == 0, done.stderr
        with filplus.database():
            yield filplus


@contextmanager
def logging_service(program: Filplus, log: Path) -> Iterator[str]:
    """A service that logs all it can into a file; gives its address."""
    with log.open("wb") as file:
        server = subprocess.Popen([PROGRAM, "--debug", "serve"], env=program.environment, stderr=file, stdout=file)
        try:
            yield program.address(server)
        finally:
            server.terminate()
            server.wait(30)


def ran(program: Filplus, *arguments: str) -> Any:
    """The document of a command that succeeds."""
    done = program("--json", "cluster", *arguments)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document.get("key") is None or document["key"] not in done.stderr
    return document


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_commands_hold_at_once_and_keys_are_never_logged(program: Filplus, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with logging_service(program, log) as url:
        made = ran(program, "add", "berlin")
        assert re.fullmatch(r"clu_[0-9A-Z]{26}", made["id"])
        assert (made["name"], made["scopes"]) == ("berlin", ["reviews:write", "reviews:read"])
        assert requests.get(f"{url}/me", headers=bearer(made["key"]), timeout=PATIENCE_S).json()["name"] == "berlin"
        rotated = ran(program, "rotate", "berlin", "--overlap-hours", "0")
        assert requests.get(f"{url}/me", headers=bearer(made["key"]), timeout=PATIENCE_S).status_code == 401
        assert requests.get(f"{url}/me", headers=bearer(rotated["key"]), timeout=PATIENCE_S).status_code == 200
        key = rotated["key"]
        send_by_mistake(url, key)
        assert ran(program, "revoke", "berlin") == {"id": made["id"], "revoked": True, "open_reviews": 0}
        assert requests.get(f"{url}/me", headers=bearer(key), timeout=PATIENCE_S).json()["code"] == "ended_key"
    logged = log.read_text()
    assert "http_answered" in logged
    for one in (made["key"], key):
        assert one not in logged
        assert one[12:] not in logged
        assert one[12:30] not in logged


def send_by_mistake(url: str, key: str) -> None:
    """A key in every place where it does not belong."""
    for path in (
        f"/me?key={key}",
        f"/cid/{key}",
        f"/cid/{key}/filplus?at_epoch={key}",
        f"/deals/{key}",
        f"/reviews/{key}",
        f"/search?q={key}",
        f"/{key}",
        f"/webhooks?{key}=1",
    ):
        requests.get(url + path, headers=bearer(key), timeout=PATIENCE_S)
        requests.post(url + path, json={"key": key, key: [key]}, headers=bearer(key), timeout=PATIENCE_S)
    requests.post(f"{url}/reviews", data=key, headers={**bearer(key), "Idempotency-Key": key}, timeout=PATIENCE_S)
    requests.post(f"{url}/cids/filplus", json={"cids": [key]}, headers={"Content-Type": key}, timeout=PATIENCE_S)
    requests.request(key, f"{url}/me", timeout=PATIENCE_S)
    requests.get(f"{url}/me", headers={"X-Request-ID": key, "Accept": key}, timeout=PATIENCE_S)
    requests.get(
        f"{url}/me", headers={"Authorization": f"Basic {key}", "Cookie": f"filplus-session={key}"}, timeout=PATIENCE_S
    )


def test_a_key_is_printed_once(program: Filplus) -> None:
    made = ran(program, "add", "once")
    listed = program("cluster", "list")
    as_json = ran(program, "list")
    assert made["key"][12:] not in listed.stdout + json.dumps(as_json)
    (row,) = [row for row in as_json["clusters"] if row["name"] == "once"]
    assert row["id"] == made["id"]
    assert [(key["id"], key["kind"]) for key in row["keys"]] == [(made["key"][:12], "bearer")]


def test_a_key_is_on_standard_output_for_programs_and_for_people(program: Filplus) -> None:
    for command, name in (("add", "spoken"), ("rotate", "spoken")):
        done = program("--json", "cluster", command, name)
        key = json.loads(done.stdout)["key"]
        assert done.stdout.count(key) == 1
        assert key not in done.stderr
        assert "shown this once" not in done.stderr
    told = program("cluster", "rotate", "spoken")
    assert re.search(r"key, shown this once: fpk_\w{57}$", told.stdout, re.MULTILINE)
    assert "fpk_" not in told.stderr


def test_one_key_is_ended_by_the_id_that_list_prints(program: Filplus, tmp_path: Path) -> None:
    made = ran(program, "add", "moving")
    public = tmp_path / "pub.pem"
    public.write_text(ECC.generate(curve="Ed25519").public_key().export_key(format="PEM"))
    signing = ran(program, "rotate", "moving", "--public-key", str(public))["signing_key_id"]
    key_id = made["key"][:12]
    ended = ran(program, "revoke", "moving", "--key", key_id)
    assert ended == {"id": made["id"], "key_id": key_id, "revoked": True, "keys_left": 1}
    (row,) = [row for row in ran(program, "list")["clusters"] if row["name"] == "moving"]
    assert {key["id"]: key["revoked_at"] is None for key in row["keys"]} == {key_id: False, signing: True}
    refused = program("cluster", "revoke", "moving", "--key", made["key"])
    assert (refused.returncode, made["key"] in refused.stderr + refused.stdout) == (3, False)
    told = program("cluster", "revoke", "moving", "--key", signing)
    assert (told.returncode, told.stdout) == (0, f"revoked the key {signing} of moving\n")
    assert "moving has no key left; `filplus cluster rotate moving --bearer` gives it one" in told.stderr
    again = program("cluster", "revoke", "moving", "--key", signing)
    assert (again.returncode, again.stdout) == (0, f"the key {signing} of moving had ended already\n")
    program("cluster", "revoke", "moving")
    gone = program("cluster", "revoke", "moving", "--key", signing)
    assert (gone.returncode, "rotate" in gone.stderr, "was revoked, for good" in gone.stderr) == (0, False, True)


def test_a_key_that_a_rotation_ended_had_ended_already(program: Filplus) -> None:
    former = ran(program, "add", "turned")["key"][:12]
    ran(program, "rotate", "turned", "--overlap-hours", "0")
    ended = program("cluster", "revoke", "turned", "--key", former)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"the key {former} of turned had ended already\n", "")


def test_lists_that_are_no_terminal_have_a_line_a_row(program: Filplus) -> None:
    made, name = ran(program, "add", "long-" + "n" * 40), "long-" + "n" * 40
    lines = program("cluster", "list").stdout.splitlines()
    (line,) = [line for line in lines if name in line]
    assert line.split()[:3] == [made["id"], name, made["key"][:12]]
    assert " ".join(line.split()[3:]) == "reviews:write, reviews:read never holds"


def test_public_keys_come_from_files(program: Filplus, tmp_path: Path) -> None:
    key = ECC.generate(curve="Ed25519")
    public, private = tmp_path / "pub.pem", tmp_path / "key.pem"
    public.write_text(key.public_key().export_key(format="PEM"))
    private.write_text(key.export_key(format="PEM"))
    made = ran(program, "add", "signs", "--public-key", str(public))
    assert re.fullmatch(r"[\w-]{43}", made["signing_key_id"])
    assert made["key"] is None
    refused = program("cluster", "rotate", "signs")
    assert (refused.returncode, "--public-key" in refused.stderr) == (2, True)
    for path, status in ((private, 2), (tmp_path / "none", 2), (tmp_path, 2)):
        refused = program("cluster", "add", "other", "--public-key", str(path))
        assert refused.returncode == status
        assert private.read_text().splitlines()[1] not in refused.stderr + refused.stdout
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("add", "ops2", "--scope", "all"), 2),
        (("revoke", "nobody"), 3),
        (("rotate", "nobody", "--overlap-hours", "-1"), 2),
    ],
)
def test_what_is_wrong_ends_with_its_code(program: Filplus, arguments: tuple[str, ...], status: int) -> None:
    done = program("cluster", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert "Traceback" not in done.stderr


def test_operators_have_keys_too(program: Filplus) -> None:
    made = ran(program, "add", "ops", "--scope", "admin")
    assert made["scopes"] == ["admin"]
