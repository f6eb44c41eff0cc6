"""Keys: their shape, their checksum, and the forms that a public key may come in."""

import re

import pytest
from Crypto.PublicKey import ECC
from hypothesis import given
from hypothesis import strategies as st

from explorer.access.errors import PublicKeyRefused
from explorer.access.keys import hash_of, id_of, is_key, new_key, parse_public_key, thumbprint

RFC_8037_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_a_key_is_one_word_that_scanners_know() -> None:
    key = new_key()
    assert re.fullmatch(r"fpk_[0-9A-Za-z]{57}", key)
    assert is_key(key)
    assert id_of(key) == key[:12]
    assert len(hash_of(key)) == 32


def test_keys_differ_in_what_is_secret() -> None:
    keys = [new_key() for _ in range(200)]
    assert len({key[12:] for key in keys}) == 200
    used = set("".join(key[12:55] for key in keys))
    assert used == set(DIGITS)


@given(place=st.integers(0, 60), other=st.sampled_from(DIGITS + "_- \n\0é"))
def test_a_wrong_character_is_told_without_looking_it_up(place: int, other: str) -> None:
    key = KEY[:place] + other + KEY[place + 1 :]
    assert is_key(key) == (key == KEY)


KEY = new_key()


@given(st.text(max_size=80) | st.text(alphabet=DIGITS, min_size=57, max_size=57).map("fpk_".__add__))
def test_no_text_of_a_strangers_is_a_key(text: str) -> None:
    assert not is_key(text)


@pytest.mark.parametrize("change", ["", "fpk_", "{}a", " {}", "{}\n", "{}{}", "{}" * 2000])
def test_a_key_is_whole(change: str) -> None:
    assert not is_key(change.replace("{}", KEY))
    assert not is_key(KEY[:-1])


def test_thumbprint_is_the_one_of_rfc_8037() -> None:
    assert thumbprint(RFC_8037_KEY) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_public_keys_are_read_as_openssl_and_openssh_write_them() -> None:
    key = ECC.generate(curve="Ed25519").public_key()
    for form in ("PEM", "OpenSSH"):
        assert parse_public_key(key.export_key(format=form) + "\n") == key.export_key(format="raw")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "ssh-ed25519 AAAA",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==",
        "x" * 20_000,
        "é" * 10,
    ],
)
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(PublicKeyRefused):
        parse_public_key(text)


def test_other_curves_are_refused() -> None:
    with pytest.raises(PublicKeyRefused, match="P-256"):
        parse_public_key(ECC.generate(curve="P-256").public_key().export_key(format="PEM"))


def test_a_private_key_is_refused_and_not_repeated() -> None:
    text = ECC.generate(curve="Ed25519").export_key(format="PEM")
    with pytest.raises(PublicKeyRefused, match="private") as caught:
        parse_public_key(text)
    assert text.splitlines()[1] not in str(caught.value)
