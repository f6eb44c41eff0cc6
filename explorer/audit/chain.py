"""An entry of the log, its one form as JSON, and the chain of hashes. Pure.

An entry is a JSON object in canonical form: ASCII, keys sorted, no spaces, everything beyond ASCII as `\\uXXXX`, whole
numbers only. Its hash is SHA-256 of that object without `hash`, so that a few lines of Python verify a log:

    entry = json.loads(line)
    said = entry.pop("hash")
    assert line == json.dumps({**entry, "hash": said}, sort_keys=True, separators=(",", ":"))
    assert said == sha256(json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

`previous` is the hash of the entry before; of the first one `genesis(network)`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from explorer.audit.errors import BrokenLog, EntryRefused
from node.errors import excerpt

MAX_FACTS_CHARS: Final = 1 << 20
_MAX_DEPTH: Final = 32
_MAX_NUMBER: Final = 2**53 - 1
"""Beyond it JSON's readers differ; write larger ones as texts."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done. `at` is text, 2026-11-23T12:00:00.000000Z; `facts` canonical JSON; the hashes hex."""

    seq: int
    at: str
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject: str
    facts: str
    previous: str
    hash: str = ""

    def document(self) -> dict[str, Any]:
        """The entry as JSON, as the log is exported."""
        return {**_hashed(self), "hash": self.hash}

    def line(self) -> str:
        """The entry in its one form as text."""
        return _dumped(self.document())


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends: its last entry's number and hash; 0 and the genesis' hash while it is empty."""

    seq: int
    hash: str


def genesis(network: str) -> str:
    """What the first entry of a network's log has as `previous`."""
    return hashlib.sha256(f"filplus audit log, version 1, network {network}".encode()).hexdigest()


def canonical(facts: Mapping[str, Any]) -> str:
    """The one text of a JSON object; EntryRefused where it holds anything but objects, lists, texts and whole numbers.

    Of texts any will do, NUL and lone surrogates too.
    """
    _demand_plain(facts, _MAX_DEPTH)
    text = _dumped(facts)
    if len(text) > MAX_FACTS_CHARS:
        raise EntryRefused(f"the facts of an entry have at most {MAX_FACTS_CHARS} characters, not {len(text)}")
    return text


def hash_of(entry: Entry) -> str:
    """The hash that an entry must have."""
    return hashlib.sha256(_dumped(_hashed(entry)).encode("ascii")).hexdigest()


def entry_of(document: Mapping[str, Any]) -> Entry:
    """The entry of an exported document; ValueError, KeyError or TypeError where it is none."""
    actor = document["actor"]
    entry = Entry(
        seq=document["seq"],
        at=document["at"],
        actor_kind=actor["kind"],
        actor_id=actor["id"],
        actor_name=actor["name"],
        action=document["action"],
        subject=document["subject"],
        facts=_dumped(document["facts"]),
        previous=document["previous"],
        hash=document["hash"],
    )
    if type(entry.seq) is not int or entry.seq < 1 or not isinstance(document["facts"], dict):
        raise TypeError("an entry has a number from 1 on, and an object as its facts")
    return entry


def _hashed(entry: Entry) -> dict[str, Any]:
    actor = {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name}
    return {
        "seq": entry.seq,
        "at": entry.at,
        "actor": actor,
        "action": entry.action,
        "subject": entry.subject,
        "facts": json.loads(entry.facts),
        "previous": entry.previous,
    }


def _dumped(document: object) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _demand_plain(value: object, depth: int) -> None:
    """Floats have no one spelling, and no text survives a depth that a reader's stack doesn't."""
    if depth < 0:
        raise EntryRefused(f"facts are nested at most {_MAX_DEPTH} deep")
    match value:
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise EntryRefused("the names of facts are texts")
            for one in value.values():
                _demand_plain(one, depth - 1)
        case list() | tuple():
            for one in value:
                _demand_plain(one, depth - 1)
        case bool() | None | str():
            return
        case int() if abs(value) <= _MAX_NUMBER:
            return
        case _:
            raise EntryRefused(
                f"a fact is a text, a whole number to 2^53-1, a truth, null, a list or an object, not {excerpt(value)}"
            )


class Chain:
    """Takes entries in their order and tells the first that is wrong. Holds only the last one's number and hash."""

    def __init__(self, begins: Head | None = None) -> None:
        self.head = begins
        """What was verified so far; None before the first entry of a part whose beginning isn't known."""

    def take(self, entry: Entry) -> None:
        """Goes on by one entry; BrokenLog where it isn't the one that follows, or was altered."""
        due = None if self.head is None else self.head.seq + 1
        if due is not None and entry.seq != due:
            raise BrokenLog(due, f"entry {entry.seq} stands in its place; {_how(entry.seq, due)}")
        if self.head is not None and entry.previous != self.head.hash:
            raise BrokenLog(entry.seq, f"it follows another entry than {entry.seq - 1} as it stands here")
        if not _is_canonical(entry.facts) or hash_of(entry) != entry.hash:
            raise BrokenLog(entry.seq, "its hash isn't that of what it says: it was altered")
        self.head = Head(entry.seq, entry.hash)


def _is_canonical(facts: str) -> bool:
    try:
        document = json.loads(facts)
        return isinstance(document, dict) and _dumped(document) == facts
    except (ValueError, RecursionError):
        return False


def _how(found: int, due: int) -> str:
    return "entries were removed" if found > due else "it is out of order, or stands here twice"
