"""A terminal notary's key file, against eth-keyfile, and against careless modes."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.signatures.errors import KeyFileError, KeyFileExposed, MalformedKeyFile, WrongPassphrase
from explorer.signatures.keyfile import SCRYPT_COST, open_key, read_key_file, seal_key, write_key_file
from node.signing import address_of_key, secret_key_from_bytes
from tests.unit.signatures.builders import NOTARY, NOTARY_0X, NOTARY_BLS
from tests.unit.signatures.oracles import create_keyfile_json, decode_keyfile_json

PASSPHRASE = "correct horse bättery"
SEALED = seal_key(NOTARY, PASSPHRASE, cost=4)


def altered(**changes: Any) -> str:
    """The sealed key, with changes by dotted path."""
    document = json.loads(SEALED)
    for path, value in changes.items():
        *parents, name = path.split("__")
        part = document
        for parent in parents:
            part = part[parent]
        part[name] = value
    return json.dumps(document)


def test_a_key_comes_back_with_its_passphrase_alone() -> None:
    assert open_key(SEALED, PASSPHRASE) == NOTARY
    for wrong in ("", PASSPHRASE + " ", PASSPHRASE.upper(), "\udcff"):
        with pytest.raises(WrongPassphrase):
            open_key(SEALED, wrong)


def test_the_file_names_its_addresses_and_never_shows_the_key() -> None:
    document = json.loads(SEALED)
    assert document["filecoin"] == str(address_of_key(NOTARY))
    assert "0x" + document["address"] == NOTARY_0X.to_eth()
    assert NOTARY.raw.hex() not in SEALED
    assert seal_key(NOTARY, PASSPHRASE, cost=4) != SEALED


def test_eth_keyfile_opens_ours() -> None:
    assert decode_keyfile_json(json.loads(SEALED), PASSPHRASE.encode()) == NOTARY.raw


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_we_open_eth_keyfiles(kdf: Any) -> None:
    document = create_keyfile_json(NOTARY.raw, PASSPHRASE.encode(), kdf=kdf, iterations=4)
    assert open_key(json.dumps(document), PASSPHRASE) == NOTARY


def test_costs_that_do_not_go_together_are_refused() -> None:
    """Each in its bounds, but RFC 7914 wants n below 2^(16 r)."""
    with pytest.raises(MalformedKeyFile, match="n of 131072 with an r of 1"):
        open_key(altered(crypto__kdfparams__n=2**17, crypto__kdfparams__r=1), PASSPHRASE)


def test_the_due_cost_is_one_that_takes_128_mib() -> None:
    assert 128 * 8 * SCRYPT_COST == 128 << 20
    assert json.loads(seal_key(NOTARY, PASSPHRASE))["crypto"]["kdfparams"]["n"] == SCRYPT_COST


def test_what_cannot_be_sealed() -> None:
    with pytest.raises(MalformedKeyFile, match="BLS"):
        seal_key(NOTARY_BLS, PASSPHRASE)
    with pytest.raises(WrongPassphrase, match="empty"):
        seal_key(NOTARY, "")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"version": 4}, MalformedKeyFile),
        ({"crypto": 1}, MalformedKeyFile),
        ({"filecoin": "f1x"}, MalformedKeyFile),
        ({"crypto__cipher": "aes-128-cbc"}, MalformedKeyFile),
        ({"crypto__kdf": "argon2"}, MalformedKeyFile),
        ({"crypto__kdf": None}, MalformedKeyFile),
        ({"crypto__mac": "00" * 32}, WrongPassphrase),
        ({"crypto__mac": "00"}, MalformedKeyFile),
        ({"crypto__mac": "zz"}, MalformedKeyFile),
        ({"crypto__ciphertext": "00" * 32}, WrongPassphrase),
        ({"crypto__ciphertext": "00" * 33}, MalformedKeyFile),
        ({"crypto__cipherparams__iv": "00" * 16}, MalformedKeyFile),
        ({"crypto__kdfparams__salt": 5}, MalformedKeyFile),
        ({"crypto__kdfparams__n": 3}, MalformedKeyFile),
        ({"crypto__kdfparams__n": 2**40}, MalformedKeyFile),
        ({"crypto__kdfparams__n": 4.0}, MalformedKeyFile),
        ({"crypto__kdfparams__n": True}, MalformedKeyFile),
        ({"crypto__kdfparams__r": 2**30}, MalformedKeyFile),
        ({"crypto__kdfparams__p": 2**30}, MalformedKeyFile),
        ({"crypto__kdfparams__dklen": 16}, MalformedKeyFile),
        (
            {"crypto__kdfparams": {"c": 2**40, "prf": "hmac-sha256", "dklen": 32, "salt": ""}, "crypto__kdf": "pbkdf2"},
            MalformedKeyFile,
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_an_altered_file_is_refused(changes: dict[str, Any], refusal: type[KeyFileError]) -> None:
    with pytest.raises(refusal):
        open_key(altered(**changes), PASSPHRASE)


@settings(max_examples=50)
@given(st.text() | st.sampled_from(["[]", "1", "null", "{}", "[" * 100_000, '{"version": 3}']))
def test_any_other_text_is_no_key_file(text: str) -> None:
    with pytest.raises(MalformedKeyFile):
        open_key(text, PASSPHRASE)


@settings(max_examples=20)
@given(
    st.binary(min_size=32, max_size=32).filter(lambda raw: 0 < int.from_bytes(raw, "big") < 2**255), st.text(min_size=1)
)
def test_every_key_comes_back(raw: bytes, passphrase: str) -> None:
    key = secret_key_from_bytes(raw)
    assert open_key(seal_key(key, passphrase, cost=2), passphrase) == key


@pytest.mark.parametrize("umask", [0, 0o777])
def test_a_file_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "key.json"
    before = os.umask(umask)
    try:
        write_key_file(path, SEALED)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key_file(path) == SEALED


def test_a_file_and_its_name_are_on_the_disk_when_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        kept.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    write_key_file(tmp_path / "key.json", SEALED)
    assert kept == [(tmp_path / "key.json").stat().st_ino, tmp_path.stat().st_ino]


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text("the only copy")
    with pytest.raises(FileExistsError):
        write_key_file(path, SEALED)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_key_file(tmp_path / "link", SEALED)
    assert path.read_text() == "the only copy"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601, 0o777])
def test_a_loose_mode_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.json"
    write_key_file(path, SEALED)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed, match=f"mode {mode:03o}.*chmod 600"):
        read_key_file(path)


def test_another_users_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key.json"
    write_key_file(path, SEALED)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(KeyFileExposed, match="another user"):
        read_key_file(path)


def test_what_is_no_file_or_far_too_large(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    large = tmp_path / "large"
    write_key_file(large, " " * 20_000)
    for path in (tmp_path / "pipe", large, tmp_path):
        with pytest.raises(MalformedKeyFile):
            read_key_file(path)
