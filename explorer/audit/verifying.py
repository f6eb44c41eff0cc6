"""Verifying the audit log: the chain, what was noted of it, and every signature that was kept in it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import asyncpg

from explorer.audit.chain import Chain, Entry, Head, genesis
from explorer.audit.errors import BrokenLog
from explorer.audit.log import load_network
from explorer.audit.reading import read_entries, read_lines
from explorer.signatures.errors import SignedTextError
from explorer.signatures.verify import verify_record
from node.errors import FilecoinError
from node.network import NETWORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A log that holds. `network` is None of a part of a log; `first` is its first entry's number, `head` its last."""

    network: str | None
    entries: int
    first: int | None
    head: Head | None
    signatures: int | None

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        head = None if self.head is None else {"seq": self.head.seq, "hash": self.head.hash}
        return {
            "ok": True,
            "network": self.network,
            "entries": self.entries,
            "first": self.first,
            "head": head,
            "signatures": self.signatures,
        }


class Verifier:
    """Takes a log's entries in their order, in constant memory. BrokenLog at the first that is wrong."""

    def __init__(self, network: str | None, *, noted: str | None = None, signatures: bool = True) -> None:
        self._network = network
        self._chain = Chain(None if network is None else Head(0, genesis(network)))
        self._noted, self._is_noted_found = noted, noted is None
        self._entries, self._first = 0, None if network is None else 1
        self._signatures = 0 if signatures else None
        self._see_head()

    def take(self, entry: Entry) -> None:
        """Goes on by one entry."""
        if self._chain.head is None:
            self._begin(entry)
        self._chain.take(entry)
        if self._signatures is not None:
            self._signatures += verify_signatures(entry)
        self._entries += 1
        self._see_head()

    def report(self) -> Report:
        """What was found, after the last entry. BrokenLog where the noted head was never passed."""
        head = self._chain.head
        if not self._is_noted_found:
            after = 0 if head is None else head.seq
            raise BrokenLog(
                after + 1, f"no entry has the noted hash {self._noted}: the log was cut off, or written anew"
            )
        return Report(
            network=self._network,
            entries=self._entries,
            first=self._first if self._entries else None,
            head=head,
            signatures=self._signatures,
        )

    def _begin(self, entry: Entry) -> None:
        """Of a file: the first entry names the network, unless it is a part of a log."""
        self._first = entry.seq
        if entry.seq != 1:
            self._is_noted_found |= entry.previous == self._noted
            return
        self._network = next((name for name in NETWORKS if genesis(name) == entry.previous), None)
        if self._network is None:
            raise BrokenLog(1, "it is the first, but names no known network as the log's")

    def _see_head(self) -> None:
        self._is_noted_found |= self._chain.head is not None and self._chain.head.hash == self._noted


async def verify_database(
    connection: asyncpg.Connection,
    *,
    noted: str | None = None,
    signatures: bool = True,
    also: Callable[[Entry], None] | None = None,
) -> Report:
    """What the database's log is found to be, as of one moment. `noted` is a head's hash that it must contain.

    `also` is given each entry that was found to hold.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        network = await load_network(connection)
        verifier = Verifier(network, noted=noted, signatures=signatures)
        async for entry in read_entries(connection):
            if network is None:
                raise BrokenLog(entry.seq, "the database has forgotten which network it is of")
            verifier.take(entry)
            if also is not None:
                also(entry)
    return verifier.report()


def verify_file(file: IO[bytes], *, noted: str | None = None, signatures: bool = True) -> Report:
    """What an exported log is found to be; one that doesn't begin at entry 1 is a part."""
    verifier = Verifier(None, noted=noted, signatures=signatures)
    for entry in read_lines(file):
        verifier.take(entry)
    return verifier.report()


def verify_signatures(entry: Entry) -> int:
    """How many signatures an entry keeps; BrokenLog where one of them doesn't hold."""
    count = 0
    for record in _signed(entry):
        try:
            verify_record(record)
        except (SignedTextError, FilecoinError) as error:
            raise BrokenLog(entry.seq, f"the signature that it keeps doesn't hold: {error}") from error
        count += 1
    return count


def _signed(entry: Entry) -> Iterator[dict[str, Any]]:
    """What in the facts has a `message` and a `signature`: the facts themselves, or an object in them."""
    facts: dict[str, Any] = json.loads(entry.facts)
    if _is_signed(facts):
        yield {**facts, **_actor_as_notary(entry, facts)}
    yield from (value for value in facts.values() if isinstance(value, dict) and _is_signed(value))


def _actor_as_notary(entry: Entry, facts: dict[str, Any]) -> dict[str, str]:
    """The notary whose signature it must be: who did it, whom the facts may not contradict."""
    if entry.actor_kind != "notary":
        return {}
    if facts.get("notary", entry.actor_id) != entry.actor_id:
        raise BrokenLog(entry.seq, "its facts name another notary than the one who acted")
    return {"notary": entry.actor_id}


def _is_signed(facts: dict[str, Any]) -> bool:
    return facts.get("message") is not None and facts.get("signature") is not None
