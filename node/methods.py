"""Methods of actors: their numbers, what they take and what they give back.

A method has a native number, an exported one, or both. The exported one follows from its name (FRC-42). Wallets
may use either, contracts have to use the exported one.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from node.elements import Element
from node.errors import ParamsError, excerpt

SEND = 0
"""No method at all: only the value is handed over."""
CONSTRUCTOR = 1

_LEAST_EXPORTED = 2**24
_NAME = re.compile(r"[A-Z_][A-Za-z0-9_]*", re.ASCII)

P = TypeVar("P")
R = TypeVar("R")


def exported_number(name: str) -> int:
    """The number of an exported method: the first four bytes of blake2b-512("1|Name") that make 2^24 or more (FRC-42).

    ParamsError for a name that FRC-42 does not allow: it begins with a capital or an underscore.
    """
    if not _NAME.fullmatch(name):
        raise ParamsError(f"{excerpt(name)} is no name of a method; it begins with a capital or an underscore")
    digest = hashlib.blake2b(b"1|" + name.encode("ascii")).digest()
    chunks = (int.from_bytes(digest[at : at + 4], "big") for at in range(0, len(digest), 4))
    number = next((chunk for chunk in chunks if chunk >= _LEAST_EXPORTED), None)
    if number is None:
        raise ParamsError(f"{excerpt(name)} has no method number; no part of its hash reaches 2^24")
    return number


@dataclass(frozen=True, slots=True)
class Method(Generic[P, R]):
    """One method: `METHOD.params.to_bytes(…)` makes what a message carries, `METHOD.returns` reads its receipt."""

    name: str
    native: int | None
    exported: int | None
    params: Element[P] = field(repr=False)
    returns: Element[R] = field(repr=False)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every number by which the method is called, the native one first."""
        return tuple(number for number in (self.native, self.exported) if number is not None)


def native_method(name: str, number: int, params: Element[P], returns: Element[R]) -> Method[P, R]:
    """A method with a native number alone: for other built-in actors, or older than FRC-42."""
    return Method(name, number, None, params, returns)


def exported_method(name: str, params: Element[P], returns: Element[R], *, native: int | None = None) -> Method[P, R]:
    """A method with the number of its name, and with a native one where it has that too."""
    return Method(name, native, exported_number(name), params, returns)
