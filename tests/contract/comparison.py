"""Where two answers differ. Names of things (CIDs, hashes) count as equal where they are known to mean the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract.translation import Translation

ABSENT = "ABSENT"
_CID = re.compile(r"\b(?:bafy2bz|bafk2bz)[a-z2-7]{50,}\b")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of an answer: its path, what was recorded, what we answer."""

    path: str
    recorded: Any
    ours: Any


def differences(recorded: Any, ours: Any, names: Translation, path: str = "") -> Iterator[Difference]:
    """Every difference. A path names members by `.name`, items by `[]`, the CID of a link and within a text by `/CID`.

    Items are compared by position; a list of another length is a difference at `.length`.
    """
    if isinstance(recorded, dict) and isinstance(ours, dict):
        yield from _of_members(recorded, ours, names, path)
    elif isinstance(recorded, list) and isinstance(ours, list):
        if len(recorded) != len(ours):
            yield Difference(f"{path}.length", len(recorded), len(ours))
        for one, other in zip(recorded, ours, strict=False):
            yield from differences(one, other, names, f"{path}[]")
    elif isinstance(recorded, str) and isinstance(ours, str):
        yield from _of_texts(recorded, ours, names, path)
    elif recorded != ours or type(recorded) is not type(ours):
        yield Difference(path, recorded, ours)


def _of_members(recorded: dict[str, Any], ours: dict[str, Any], names: Translation, path: str) -> Iterator[Difference]:
    if set(recorded) == {"/"} == set(ours):
        yield from _of_names(recorded["/"], ours["/"], names, f"{path}/CID")
        return
    for key in sorted(recorded.keys() | ours.keys()):
        yield from differences(recorded.get(key, ABSENT), ours.get(key, ABSENT), names, f"{path}.{key}")


def _of_names(recorded: str, ours: str, names: Translation, path: str) -> Iterator[Difference]:
    if recorded != ours and names.ours.get(recorded) != ours:
        yield Difference(path, recorded, ours)


def _of_texts(recorded: str, ours: str, names: Translation, path: str) -> Iterator[Difference]:
    """A text may have CIDs in it: the rest is compared, and each CID with that at its place."""
    if recorded == ours or names.ours.get(recorded) == ours:
        return
    if not _CID.search(recorded) or _CID.sub("", recorded) != _CID.sub("", ours):
        yield Difference(path, recorded, ours)
        return
    for one, other in zip(_CID.findall(recorded), _CID.findall(ours), strict=True):
        yield from _of_names(one, other, names, f"{path}/CID")
