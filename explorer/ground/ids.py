"""Ids of records that people and programs name: a prefix that says the kind, then a ULID.

    rev_01KAR8Q4ZC9S8W1V7M2E6T5XNB
    └── kind  └ 48 bits: milliseconds since 1970    └ 80 random bits

Ids of one kind sort by the time of their making, to the millisecond.
"""

import secrets
import time

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_CHARACTERS = 26


def new_id(prefix: str) -> str:
    """A new id: the prefix, an underscore and 26 characters of Crockford's base32."""
    number = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    shifts = range(5 * (_CHARACTERS - 1), -1, -5)
    return f"{prefix}_{''.join(_CROCKFORD[number >> shift & 31] for shift in shifts)}"
