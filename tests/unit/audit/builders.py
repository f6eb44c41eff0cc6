"""Logs for the tests: entries, chained."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from explorer.audit.chain import Entry, canonical, genesis, hash_of
from explorer.audit.verifying import Report, verify_file

NETWORK = "mainnet"


def log_of(*facts: Mapping[str, Any], network: str = NETWORK, actor: str = "notary") -> list[Entry]:
    """A log with an entry for each of the facts."""
    entries: list[Entry] = []
    for seq, one in enumerate(facts, start=1):
        previous = entries[-1].hash if entries else genesis(network)
        at = f"2026-11-23T12:00:00.{seq:06}Z"
        entry = Entry(seq, at, actor, "f1someone", "Ada", "review.decided", f"rev_{seq}", canonical(one), previous)
        entries.append(replace(entry, hash=hash_of(entry)))
    return entries


def exported(entries: Sequence[Entry]) -> bytes:
    """The log as a file."""
    return "".join(f"{entry.line()}\n" for entry in entries).encode()


def verified(file: bytes, **options: Any) -> Report:
    """What verifying the file finds."""
    return verify_file(io.BytesIO(file), **options)
