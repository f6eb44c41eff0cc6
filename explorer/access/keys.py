"""Keys as clusters hold them: what a bearer key looks like, and which Ed25519 key is meant.

fpk_7Kq2mXc9 tZ…43 characters…9a 0bQ4Xz
└── id ────┘ └ 32 random bytes ┘ └ CRC-32 of all before it, so that a typo is told without looking it up
"""

import base64
import hashlib
import re
import secrets
import zlib
from typing import Final

from Crypto.PublicKey import ECC

from explorer.access.errors import PublicKeyRefused

ID_CHARACTERS: Final = 12
_PREFIX: Final = "fpk_"
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES: Final = 32
_RANDOM_CHARACTERS: Final = 43
_CHECK_CHARACTERS: Final = 6
_SHAPE: Final = re.compile(r"fpk_[0-9A-Za-z]{57}", re.ASCII)
_LARGEST_FILE: Final = 16_384
_RAW_BYTES: Final = 32


def new_key() -> str:
    """A new bearer key."""
    public = "".join(secrets.choice(_DIGITS) for _ in range(ID_CHARACTERS - len(_PREFIX)))
    unchecked = f"{_PREFIX}{public}{_base62(secrets.randbits(8 * _RANDOM_BYTES), _RANDOM_CHARACTERS)}"
    return unchecked + _checksum(unchecked)


def is_key(text: str) -> bool:
    """Whether the text has a key's shape and its checksum is right."""
    return _SHAPE.fullmatch(text) is not None and text[-_CHECK_CHARACTERS:] == _checksum(text[:-_CHECK_CHARACTERS])


def id_of(key: str) -> str:
    """The public part of a key, by which it is found and shown."""
    return key[:ID_CHARACTERS]


def hash_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK_CHARACTERS)


def _base62(number: int, width: int) -> str:
    characters = []
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        characters.append(_DIGITS[digit])
    return "".join(reversed(characters))


def thumbprint(public_key: bytes) -> str:
    """The JWK thumbprint (RFC 7638) of an Ed25519 key: what a signed request names as its `keyid`."""
    x = _base64url(public_key)
    return _base64url(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parse_public_key(text: str) -> bytes:
    """The 32 bytes of an Ed25519 public key: PEM, as `openssl pkey -pubout` writes it, or OpenSSH's one line.

    PublicKeyRefused for anything else, above all for a private key.
    """
    if "PRIVATE KEY" in text:
        raise PublicKeyRefused("that is a private key, which never leaves the cluster: give its public half")
    if len(text) > _LARGEST_FILE:
        raise PublicKeyRefused(f"a public key has less than {_LARGEST_FILE} characters")
    try:
        key = ECC.import_key(text.strip())
    except (ValueError, IndexError, TypeError, UnicodeError) as error:
        raise PublicKeyRefused(
            "that is no public key: `openssl pkey -in KEY -pubout` writes one, or give OpenSSH's .pub"
        ) from error
    if key.curve != "Ed25519" or key.has_private():
        raise PublicKeyRefused(f"the key is of the curve {key.curve}; signed requests need Ed25519")
    raw: bytes = key.export_key(format="raw")
    return raw
