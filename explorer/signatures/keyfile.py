"""A terminal notary's key in a file: Ethereum's keystore, version 3, under a passphrase, for its owner's eyes only.

The key is secp256k1, so the same file serves as f1 here and as 0x in any Ethereum wallet. Beside the standard's fields
it names the f1 address, `filecoin`. The passphrase is stretched by scrypt over 128 MiB; reading also takes PBKDF2, as
other programs write it, and refuses costs that would exhaust the machine.
"""

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from coincurve import PrivateKey
from Crypto.Cipher import AES
from Crypto.Util import Counter

from explorer.signatures.errors import KeyFileExposed, MalformedKeyFile, WrongPassphrase
from explorer.signatures.ethereum import eth_address_of_key, keccak256
from node.errors import FilecoinError, excerpt
from node.signature import SECP256K1
from node.signing import SecretKey, address_of_key, secret_key_from_bytes

SCRYPT_COST = 2**17
_BLOCK = 8
_KEY_BYTES = 32
_MAX_FILE_BYTES = 16_384
_MAX_SCRYPT_MEMORY_BYTES = 2**30
_MAX_PARALLEL = 16
_MAX_ROUNDS = 10_000_000


def seal_key(
    key: SecretKey, passphrase: str, *, random_bytes: Callable[[int], bytes] = os.urandom, cost: int = SCRYPT_COST
) -> str:
    """The file's text of an f1 key. `cost` is scrypt's N, a power of two."""
    if key.kind != SECP256K1:
        raise MalformedKeyFile("a keystore holds a secp256k1 key; BLS keys have no such file")
    if not passphrase:
        raise WrongPassphrase("an empty passphrase protects nothing; give one")
    salt, iv = random_bytes(32), random_bytes(16)
    parameters = {"dklen": _KEY_BYTES, "n": cost, "p": 1, "r": _BLOCK, "salt": salt.hex()}
    stretched = _scrypt(passphrase, parameters)
    ciphertext = _aes(stretched, iv, key.raw)
    public = PrivateKey(key.raw).public_key.format(compressed=False)
    document = {
        "version": 3,
        "id": str(UUID(bytes=random_bytes(16), version=4)),
        "address": eth_address_of_key(public).payload[1:].hex(),
        "filecoin": str(address_of_key(key)),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": parameters,
            "mac": _mac(stretched, ciphertext).hex(),
        },
    }
    return json.dumps(document, indent=2) + "\n"


def open_key(text: str, passphrase: str) -> SecretKey:
    """The key in a file's text; WrongPassphrase where it doesn't open, MalformedKeyFile where it is no keystore."""
    document = _document(text)
    crypto = _part(document, "crypto")
    if document.get("version") != 3 or crypto.get("cipher") != "aes-128-ctr":
        raise MalformedKeyFile("a keystore of version 3 with aes-128-ctr is due")
    stretched = _stretched(passphrase, crypto)
    ciphertext = _hex(crypto, "ciphertext", _KEY_BYTES)
    if not hmac.compare_digest(_mac(stretched, ciphertext), _hex(crypto, "mac", 32)):
        raise WrongPassphrase("the passphrase doesn't open the key file, or the file was altered")
    iv = _hex(_part(crypto, "cipherparams"), "iv", 16)
    try:
        key = secret_key_from_bytes(_aes(stretched, iv, ciphertext))
    except FilecoinError as error:
        raise MalformedKeyFile(f"the key file holds no key: {error}") from None
    # The MAC doesn't cover the initial vector: an altered one gives another key.
    named = document.get("filecoin")
    if named is not None and named != str(address_of_key(key)):
        raise MalformedKeyFile(f"the key file is said to be {excerpt(named)}'s, but holds {address_of_key(key)}'s key")
    return key


def write_key_file(path: Path, text: str) -> None:
    """Writes a new file that only its owner can open; FileExistsError where there is one, which stays as it is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        # The umask can only have taken rights away; the owner's own are due whatever it is.
        os.fchmod(descriptor, 0o600)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """Returns once the folder's new entry outlives a loss of power: a file without its name is lost with it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_key_file(path: Path) -> str:
    """The text of a key file; KeyFileExposed where anyone but its owner, who we must be, can open it."""
    # Not to wait for the other end of a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _is_ours_alone(path, os.fstat(descriptor))
        raw = os.read(descriptor, _MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(raw) > _MAX_FILE_BYTES:
        raise MalformedKeyFile(f"{path} is larger than {_MAX_FILE_BYTES} bytes, so it is no key file")
    return raw.decode("utf-8", errors="replace")


def _is_ours_alone(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise MalformedKeyFile(f"{path} is no file")
    if found.st_uid != os.geteuid():
        raise KeyFileExposed(f"{path} belongs to another user (uid {found.st_uid}); copy it as your own")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise KeyFileExposed(f"{path} can be opened by others (mode {mode:03o}); run `chmod 600 {path}`")


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedKeyFile("the key file is no JSON") from error
    if not isinstance(document, dict):
        raise MalformedKeyFile("the key file is no JSON object")
    return document


def _stretched(passphrase: str, crypto: Mapping[str, Any]) -> bytes:
    parameters = _part(crypto, "kdfparams")
    if crypto.get("kdf") == "scrypt":
        return _scrypt(passphrase, parameters)
    if crypto.get("kdf") == "pbkdf2" and parameters.get("prf") == "hmac-sha256":
        rounds = _number(parameters, "c", _MAX_ROUNDS)
        _number(parameters, "dklen", _KEY_BYTES, least=_KEY_BYTES)
        return hashlib.pbkdf2_hmac("sha256", _octets(passphrase), _hex(parameters, "salt"), rounds, _KEY_BYTES)
    raise MalformedKeyFile(f"the key derivation {excerpt(crypto.get('kdf'))} is not known; scrypt or pbkdf2 is due")


def _scrypt(passphrase: str, parameters: Mapping[str, Any]) -> bytes:
    block, parallel = _number(parameters, "r", 64), _number(parameters, "p", _MAX_PARALLEL)
    cost = _number(parameters, "n", _MAX_SCRYPT_MEMORY_BYTES // (128 * block), least=2)
    _number(parameters, "dklen", _KEY_BYTES, least=_KEY_BYTES)
    if cost & (cost - 1):
        raise MalformedKeyFile(f"scrypt's n is a power of two, not {cost}")
    room = 128 * block * (cost + parallel + 2)
    salt = _hex(parameters, "salt")
    octets = _octets(passphrase)
    try:
        return hashlib.scrypt(octets, salt=salt, n=cost, r=block, p=parallel, maxmem=room, dklen=_KEY_BYTES)
    except ValueError as error:  # of costs that are each in their bounds, but don't go together (RFC 7914)
        raise MalformedKeyFile(f"scrypt takes no n of {cost} with an r of {block}") from error


def _octets(passphrase: str) -> bytes:
    """The passphrase in UTF-8; bytes of a terminal that are none stay as they are."""
    return passphrase.encode("utf-8", errors="surrogateescape")


def _aes(stretched: bytes, iv: bytes, data: bytes) -> bytes:
    counter = Counter.new(128, initial_value=int.from_bytes(iv, "big"))
    return AES.new(stretched[:16], AES.MODE_CTR, counter=counter).encrypt(data)


def _mac(stretched: bytes, ciphertext: bytes) -> bytes:
    return keccak256(stretched[16:32] + ciphertext)


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    if not isinstance(part, dict):
        raise MalformedKeyFile(f"the key file has no `{name}`")
    return part


def _number(document: Mapping[str, Any], name: str, most: int, least: int = 1) -> int:
    value = document.get(name)
    if type(value) is not int or not least <= value <= most:
        raise MalformedKeyFile(f"`{name}` in the key file: {least} to {most} is due, not {excerpt(value)}")
    return value


def _hex(document: Mapping[str, Any], name: str, length: int | None = None) -> bytes:
    value = document.get(name)
    try:
        raw = bytes.fromhex(value if isinstance(value, str) else "?")
    except ValueError as error:
        raise MalformedKeyFile(f"`{name}` in the key file is no hexadecimal") from error
    if length is not None and len(raw) != length:
        raise MalformedKeyFile(f"`{name}` in the key file has {len(raw)} bytes, not {length}")
    return raw
