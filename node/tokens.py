"""Amounts: attoFIL, and DataCap in bytes and in tokens. As text they are decimal strings, as a node writes them.

The verified registry (f06), its events and StateVerified…Status count DataCap in bytes. The token (f07)
counts it in units of 10^-18 bytes, as FRC-46 wants it.
"""

import re

from node.errors import AmountError, excerpt

ATTOFIL_PER_FIL = 10**18
TOKENS_PER_BYTE = 10**18
"""How many units of the DataCap token (f07) are one byte of DataCap."""

# The chain's limit of 128 bytes has 309 digits.
_MAX_CHARS = 310
_DECIMAL = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)


def parse_amount(text: object) -> int:
    """The integer of a decimal string such as "1099511627776"; AmountError where it is none.

    Only the spelling that a node prints: no leading zeros, no plus, no blanks, no exponent. A negative
    amount is one too: a message can carry it, and the actor refuses it.
    """
    if not isinstance(text, str) or len(text) > _MAX_CHARS or not _DECIMAL.fullmatch(text):
        raise AmountError(f"{excerpt(text)} is no amount; write it as a string of decimal digits")
    return int(text)


def datacap_tokens(datacap_bytes: int) -> int:
    """The token's amount (f07) of that many bytes of DataCap."""
    return datacap_bytes * TOKENS_PER_BYTE


def datacap_bytes(tokens: int) -> int:
    """The bytes of DataCap of a token's amount; AmountError where they are not whole."""
    whole, rest = divmod(tokens, TOKENS_PER_BYTE)
    if rest:
        raise AmountError(f"{excerpt(tokens)} DataCap tokens are no whole bytes: a byte is 10^18 of them")
    return whole
