"""`filplus notary` and `filplus audit` as people use them."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from explorer.signatures.verify import verify_record
from node.address import parse_address
from tests.clusters import open_folder
from tests.e2e.program import PROGRAM, Filplus
from tests.unit.signatures.builders import sign_in, signed
from tests.unit.signatures.oracles import Account, decode_keyfile_json

PASSPHRASE = "correct horse battery staple"
_IN_TERMINAL = "import os, sys; os.close(os.open(sys.argv[1], os.O_RDWR)); os.execv(sys.argv[2], sys.argv[2:])"


@pytest.fixture(scope="module")
def filplus() -> Iterator[Filplus]:
    """The program on a data directory of its own, whose database runs meanwhile."""
    with open_folder() as folder:
        program = Filplus(folder / "data", FILPLUS_NOTARY_PASSPHRASE=PASSPHRASE)
        done = program("notary", "list")
        assert done.returncode == 0, done.stderr
        with program.database():
            yield program


@pytest.fixture
def key(filplus: Filplus, tmp_path: Path) -> dict[str, str]:
    """A new key: what keygen prints of it."""
    return document(filplus("--json", "notary", "keygen", "--key", str(tmp_path / "key.json")))


def document(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_a_key_is_made_sealed(filplus: Filplus, key: dict[str, str]) -> None:
    path = Path(key["file"])
    assert path.stat().st_mode & 0o777 == 0o600
    secret = decode_keyfile_json(json.loads(path.read_text()), PASSPHRASE.encode())
    assert Account.from_key(secret).address.lower() == key["eth_address"]
    before = path.read_text()
    again = filplus("notary", "keygen", "--key", key["file"])
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    assert path.read_text() == before


@pytest.mark.parametrize("name", ["address", "eth_address"])
async def test_a_notary_signs_in_from_the_terminal(filplus: Filplus, key: dict[str, str], name: str) -> None:
    """The answer of the API goes in as it is, and what comes out is the body of the next request."""
    added = document(filplus("--json", "notary", "add", key[name], "--name", "Ada Lovelace"))
    with filplus.serving() as url:
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/auth/nonce", params={"address": key[name]}) as got:
                offer = await got.text()
            made = filplus("--json", "notary", "sign", "-", "--key", key["file"], "--yes", stdin=offer)
            body = document(made)
            assert "I sign in to the FIL+ explorer. This moves nothing on the chain." in made.stderr
            verify_record(body)
            async with session.post(f"{url}/auth/verify", json=body) as got:
                assert (got.status, (await got.json())["id"]) == (200, added["address"])
            revoked = document(filplus("--json", "notary", "revoke", added["id"]))
            assert revoked["revoked_at"] is not None
            async with session.get(f"{url}/me") as got:
                assert got.status == 401
    assert document(filplus("--json", "audit", "verify"))["signatures"] >= 1


def test_without_a_terminal_nothing_is_signed_unasked(filplus: Filplus, key: dict[str, str], tmp_path: Path) -> None:
    text, _ = signed(sign_in())
    (tmp_path / "text").write_text(text)
    command = [PROGRAM, "notary", "sign", str(tmp_path / "text"), "--key", key["file"]]
    done = subprocess.run(
        command,
        env=filplus.environment,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, "--yes" in done.stderr) == (1, True)


def test_who_is_no_notary_is_told_what_to_do(filplus: Filplus, tmp_path: Path) -> None:
    file = str(tmp_path / "key.json")
    document(filplus("--json", "notary", "keygen", "--key", file))
    with filplus.serving():
        told = filplus("review", "list", "--key", file)
        as_json = filplus("--json", "review", "list", "--key", file)
    assert "isn't a notary here\nAsk the operator to add the address" in told.stderr
    assert json.loads(as_json.stdout)["error"]["remedy"].endswith("filplus notary add.")


def in_terminal(filplus: Filplus, *arguments: str, typed: list[tuple[str, str]]) -> tuple[int, str]:
    """Runs the program in a terminal of its own where each prompt is answered; its exit code and what it showed."""
    leader, follower = pty.openpty()
    environment = {name: value for name, value in filplus.environment.items() if name != "FILPLUS_NOTARY_PASSPHRASE"}
    command = [sys.executable, "-c", _IN_TERMINAL, os.ttyname(follower), str(PROGRAM), *arguments]
    ends = {"stdin": follower, "stdout": follower, "stderr": follower}
    running = subprocess.Popen(command, env=environment, start_new_session=True, **ends)  # type: ignore[call-overload]
    os.close(follower)
    shown = ""
    for prompt, answer in typed:
        while not shown.endswith(prompt):
            shown += os.read(leader, 1).decode("utf-8", "replace")
        os.write(leader, f"{answer}\n".encode())
    while True:
        try:
            more = os.read(leader, 4096)
        except OSError:
            break
        shown += more.decode("utf-8", "replace")
    os.close(leader)
    return running.wait(60), shown


def test_in_a_terminal_it_asks(filplus: Filplus, tmp_path: Path) -> None:
    file = str(tmp_path / "key.json")
    twice = [("New passphrase: ", "first"), ("Once more: ", "second")]
    code, shown = in_terminal(filplus, "notary", "keygen", "--key", file, typed=twice)
    assert (code, "differ" in shown, Path(file).exists()) == (1, True, False)
    twice = [("New passphrase: ", "secret words"), ("Once more: ", "secret words")]
    code, shown = in_terminal(filplus, "notary", "keygen", "--key", file, typed=twice)
    assert (code, "secret words" in shown) == (0, False)
    text, _ = signed(sign_in())
    (tmp_path / "text").write_text(text)
    sign = ("notary", "sign", str(tmp_path / "text"), "--key", file)
    code, shown = in_terminal(filplus, *sign, typed=[("[y/N] ", "n")])
    assert (code, "Nothing was signed" in shown) == (7, True)
    code, shown = in_terminal(filplus, *sign, typed=[("[y/N] ", "y"), ("Passphrase: ", "wrong")])
    assert (code, "doesn't open" in shown) == (1, True)
    code, shown = in_terminal(filplus, *sign, typed=[("[y/N] ", "y"), ("Passphrase: ", "secret words")])
    assert (code, "is to be signed by" in shown) == (7, True)


def test_the_log_is_exported_and_verified(filplus: Filplus, tmp_path: Path) -> None:
    document(filplus("--json", "notary", "add", "0x" + "12" * 20, "--name", "Ada"))
    document(filplus("--json", "notary", "add", "0x" + "56" * 20, "--name", "Bob"))
    file = tmp_path / "log.ndjson"
    exported = document(filplus("--json", "audit", "export", "-o", str(file)))
    assert file.read_text() == filplus("audit", "export").stdout
    in_database = document(filplus("--json", "audit", "verify", "--head", exported["head"]["hash"]))
    assert in_database["reviews"]["differing"] == []
    of_file = {**in_database, "reviews": None}
    assert document(filplus("--json", "audit", "verify", str(file))) == of_file
    assert document(filplus("--json", "audit", "verify", "-", stdin=file.read_text())) == of_file
    assert in_database["head"] == exported["head"]
    lines = file.read_text().splitlines(keepends=True)
    altered = "".join([*lines[:-1], lines[-1].replace("Bob", "Eve")])
    broken = document(filplus("--json", "audit", "verify", "-", stdin=altered), 1)
    assert (broken["ok"], broken["bad"]["seq"]) == (False, len(lines))
    assert f"broken at entry {len(lines)}" in filplus("audit", "verify", "-", stdin=altered).stderr
    cut = document(filplus("--json", "audit", "verify", "-", "--head", exported["head"]["hash"], stdin=lines[0]), 1)
    assert cut["bad"]["seq"] == 2


def test_a_text_of_another_network_is_signed_where_the_command_names_it(filplus: Filplus, key: dict[str, str]) -> None:
    text, _ = signed(sign_in(network="simulated", signer=parse_address(key["address"])))
    command = ["notary", "sign", "-", "--key", key["file"], "--yes"]
    refused = filplus(*command, stdin=text)
    assert (refused.returncode, "--network simulated" in refused.stderr) == (7, True), refused.stderr
    done = filplus(*command, "--network", "simulated", stdin=text)
    assert (done.returncode, len(done.stdout.strip())) == (0, 132), done.stderr
    assert filplus(*command, "--network", "calibration", stdin=text).returncode == 7
