"""Text to bytes in every multibase, and base32 as Filecoin writes it.

The bases that CIDs really come in are decoded here, in a microsecond or two, since a market's dump
holds tens of millions of them; the rest is left to the package `multiformats`. Every function
raises ValueError alone, and takes no text that another spelling of the same bytes would equal:
spare bits at the end are zero, digits are of the alphabet.
"""

import binascii
from collections.abc import Callable

from multiformats import multibase

_INVALID = b"!"


def _digits_table(alphabet: bytes, *, digits: bytes, any_case: bool) -> bytes:
    """A table for bytes.translate from `alphabet` to `digits`, everything else to what int() refuses."""
    table = bytearray(_INVALID * 256)
    for letter, digit in zip(alphabet, digits, strict=True):
        table[letter] = digit
        if any_case:
            table[bytes([letter]).upper()[0]] = digit
    return bytes(table)


_INT_DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"
_BASE32_ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
_BASE32_LOWER = _digits_table(_BASE32_ALPHABET, digits=_INT_DIGITS[:32], any_case=False)
_BASE32_ANY_CASE = _digits_table(_BASE32_ALPHABET, digits=_INT_DIGITS[:32], any_case=True)
_BASE16_ANY_CASE = _digits_table(_INT_DIGITS[:16], digits=_INT_DIGITS[:16], any_case=True)
_BASE36_ANY_CASE = _digits_table(_INT_DIGITS, digits=_INT_DIGITS, any_case=True)
_BASE58_ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {letter: value for value, letter in enumerate(_BASE58_ALPHABET)}
_URL_TO_STANDARD = bytes.maketrans(b"-_+/", b"+/!!")


def decode_base32(text: bytes, *, any_case: bool = False) -> bytes:
    """The bytes of unpadded RFC 4648 base32, lower case unless `any_case`."""
    bits = len(text) * 5
    spare = bits % 8
    if spare >= 5:
        raise ValueError("base32 of that length is cut short")
    value = int(text.translate(_BASE32_ANY_CASE if any_case else _BASE32_LOWER), 32) if text else 0
    if value & ((1 << spare) - 1):
        raise ValueError("base32 with spare bits that are not zero")
    return (value >> spare).to_bytes(bits // 8, "big")


_BASE32_DIGIT_PAIRS = [bytes([a, b]) for a in _BASE32_ALPHABET for b in _BASE32_ALPHABET]


def encode_base32(raw: bytes) -> str:
    """Unpadded RFC 4648 base32 in lower case."""
    spare = -len(raw) * 8 % 10
    value = int.from_bytes(raw, "big") << spare
    pairs = []
    for _ in range((len(raw) * 8 + spare) // 10):
        pairs.append(_BASE32_DIGIT_PAIRS[value & 0x3FF])
        value >>= 10
    text = b"".join(reversed(pairs))
    return text[: (len(raw) * 8 + 4) // 5].decode("ascii")


def decode_base58(text: bytes) -> bytes:
    """The bytes of base58 with Bitcoin's alphabet; each leading `1` is a zero byte."""
    value = 0
    try:
        for letter in text:
            value = value * 58 + _BASE58_VALUES[letter]
    except KeyError as error:
        raise ValueError("a letter that base58 does not have") from error
    zeros = len(text) - len(text.lstrip(b"1"))
    return bytes(zeros) + value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode_base58(raw: bytes) -> str:
    """Base58 with Bitcoin's alphabet."""
    value = int.from_bytes(raw, "big")
    letters = bytearray()
    while value:
        value, digit = divmod(value, 58)
        letters.append(_BASE58_ALPHABET[digit])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    letters.extend(_BASE58_ALPHABET[:1] * zeros)
    return letters[::-1].decode("ascii")


def _decode_base64(text: bytes) -> bytes:
    """The bytes of unpadded standard base64."""
    raw = binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    if binascii.b2a_base64(raw, newline=False).rstrip(b"=") != text:
        raise ValueError("base64 with spare bits that are not zero")
    return raw


def _decode_base64_padded(text: bytes) -> bytes:
    bare = text.rstrip(b"=")
    if len(text) - len(bare) != -len(bare) % 4:
        raise ValueError("base64 with too much or too little padding")
    return _decode_base64(bare)


def _decode_base64url(text: bytes) -> bytes:
    return _decode_base64(text.translate(_URL_TO_STANDARD))


def _decode_base16(text: bytes) -> bytes:
    return binascii.unhexlify(text.translate(_BASE16_ANY_CASE))


def _decode_base32(text: bytes) -> bytes:
    return decode_base32(text, any_case=True)


def _decode_base36(text: bytes) -> bytes:
    """The bytes of base36; each leading `0` is a zero byte."""
    value = int(text.translate(_BASE36_ANY_CASE), 36) if text else 0
    zeros = len(text) - len(text.lstrip(b"0"))
    return bytes(zeros) + value.to_bytes((value.bit_length() + 7) // 8, "big")


_FAST_DECODERS: dict[int, Callable[[bytes], bytes]] = {
    ord("b"): _decode_base32,
    ord("B"): _decode_base32,
    ord("f"): _decode_base16,
    ord("F"): _decode_base16,
    ord("k"): _decode_base36,
    ord("K"): _decode_base36,
    ord("m"): _decode_base64,
    ord("M"): _decode_base64_padded,
    ord("u"): _decode_base64url,
    ord("z"): decode_base58,
}
# The rest of the multibase table, but for identity (prefix NUL) and base256emoji, which are not text in ASCII.
_SLOW_PREFIXES = frozenset(b"079hpvVtTcCZU")


def decode_multibase(text: bytes) -> bytes:
    """The bytes of a multibase text in ASCII, prefix included; ValueError where it is none."""
    if not text:
        raise ValueError("no text at all")
    decode = _FAST_DECODERS.get(text[0])
    if decode is not None:
        return decode(text[1:])
    if text[0] not in _SLOW_PREFIXES:
        raise ValueError("its first letter is no multibase prefix")
    decoded: bytes = multibase.decode(text.decode("ascii"))
    return decoded
