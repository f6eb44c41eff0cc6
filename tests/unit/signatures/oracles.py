"""Other libraries that sign: eth-account and eth-keys, imported without the recursion limit that one of theirs sets."""

import hashlib
import sys

_limit = sys.getrecursionlimit()
from eth_account import Account  # noqa: E402
from eth_account.messages import encode_defunct  # noqa: E402
from eth_keyfile import create_keyfile_json, decode_keyfile_json  # noqa: E402
from eth_keys.backends import NativeECCBackend  # noqa: E402
from eth_keys.datatypes import PrivateKey  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = ["Account", "create_keyfile_json", "decode_keyfile_json", "eth_keys_sign", "personal_sign"]


def personal_sign(secret: bytes, text: str) -> bytes:
    """The 65 bytes that a wallet gives for a text."""
    return bytes(Account.sign_message(encode_defunct(text=text), secret).signature)


def eth_keys_sign(secret: bytes, data: bytes) -> str:
    """A Filecoin key's signature over bytes, by eth-keys in pure Python: kind, r, s and the recovery id, in hex."""
    digest = hashlib.blake2b(data, digest_size=32).digest()
    key = PrivateKey(secret, backend=NativeECCBackend())
    return "01" + key.sign_msg_hash(digest).to_bytes().hex()
