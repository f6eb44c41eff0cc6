"""Parties as the API asks for them: each answer from one snapshot of the database, as of the head of the index."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from explorer.index.answers import Standpoint, as_of, rfc3339
from explorer.index.importer import address_prefixes
from explorer.index.service import IndexService
from explorer.parties.counting import LARGE_RECORDS, count_party, is_large
from explorer.parties.errors import ActorUnknown, AddressUnresolved, NodeSilent, TableUnknown, TooManyAddresses
from explorer.parties.listing import Page, load_page
from explorer.parties.marks import load_revision, load_summary
from explorer.parties.naming import OTHER, Role, forms_of, read_address
from explorer.parties.resolving import Resolver
from explorer.parties.terms import Terms, terms_of
from explorer.verdict.records import RECORD_KINDS, RecordKind
from node.address import Address, actor_address
from node.network import time_of_epoch

Document = dict[str, Any]

SHOWN_SHARES = 50
"""So many of the other side are in the document of a party; all of them are in its table."""
STREAMED_AT_ONCE = 1000
_EMPTY = Page([], None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a party: its items, all of them or those of a page, and what they are as of."""

    document: Document
    next_cursor: str | None
    fingerprint: str
    """Differs whenever the table may: what an answer's tag is made of before the answer is."""
    terms: Terms | None
    """What its statuses are told by; None where nothing is indexed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyService:
    """What the index knows of clients, providers and allocators. DatabaseUnavailable and QueryTimeout where the
    database fails; MalformedAddress for what is no address.

    An address that does not say its actor id is looked up by `names`: AddressUnresolved, ActorUnknown, NodeSilent,
    TooManyAddresses.
    """

    index: IndexService
    large_records: int = LARGE_RECORDS
    names: Resolver = field(default_factory=Resolver)

    async def actor_id(self, address: str) -> int:
        """The actor id of an address in any form."""
        return await self.names.actor_id(self._read(address), address)

    async def is_known(self, role: Role, address: str) -> bool:
        """Whether any record names the party in that role."""
        party_id = await self.actor_id(address)
        async with self.index.snapshot() as connection:
            return await is_large(connection, role, party_id, 0)

    async def party(self, role: Role, address: str, *, limit: int) -> Document:
        """The document `Client` or `Provider`: what is counted, and the newest records of each kind."""
        party_id = await self.actor_id(address)
        document, forms = await asyncio.gather(self._party(role, party_id, limit=limit), self._forms(party_id))
        return {"address": forms["id"], "role": role, "forms": forms, **document}

    async def _party(self, role: Role, party_id: int, *, limit: int) -> Document:
        """What the index says of a party, from one snapshot."""
        async with self.index.at_head() as (connection, standpoint):
            terms = terms_of(standpoint)
            summary = await self._summary(connection, role, party_id, standpoint, terms)
            evidence = {}
            for kind in RECORD_KINDS:
                page = _EMPTY
                if terms is not None:
                    page = await load_page(connection, kind, role, party_id, terms=terms, cursor=None, limit=limit)
                evidence[kind] = {"items": page.items, "next_cursor": page.next_cursor}
        return {
            "summary": None if summary is None else _cut(summary),
            "evidence": evidence,
            "as_of": as_of(standpoint),
            "coverage": _coverage(terms, standpoint),
            "programme": standpoint.programme,
        }

    async def table(
        self, role: Role, address: str, name: str, *, of: RecordKind, cursor: str | None, limit: int
    ) -> Table:
        """One table of a party: a page of records, or all that was counted of records of the kind `of`.

        TableUnknown, MalformedCursor.
        """
        _demand_table(role, name)
        party_id = await self.actor_id(address)
        async with self.index.at_head() as (connection, standpoint):
            revision, terms = await load_revision(connection), terms_of(standpoint)
            moment = as_of(standpoint)
            if terms is not None and name in RECORD_KINDS:
                page = await load_page(connection, name, role, party_id, terms=terms, cursor=cursor, limit=limit)
            else:
                summary = await self._summary(connection, role, party_id, standpoint, terms)
                page = _counted_table(summary, name, of)
                moment = moment if summary is None else summary["as_of"]
        known = (role, party_id, name, of, revision, moment, terms and terms.lasting())
        document = {**_table_document(role, party_id, name, page, standpoint), "as_of": moment}
        return Table(document=document, next_cursor=page.next_cursor, fingerprint=repr(known), terms=terms)

    async def records(
        self, role: Role, address: str, kind: RecordKind, *, terms: Terms | None
    ) -> AsyncIterator[list[Document]]:
        """All records of a kind, the newest first, page by page, with statuses by the terms of a table.

        No snapshot is held meanwhile: who reads slowly must not keep the database from forgetting.
        """
        party_id = await self.actor_id(address)
        cursor: str | None = None
        while terms is not None:
            async with self.index.snapshot() as connection:
                page = await load_page(
                    connection, kind, role, party_id, terms=terms, cursor=cursor, limit=STREAMED_AT_ONCE
                )
            yield page.items
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def allocator(self, address: str) -> Document:
        """The document `Allocator`: what the index does not know yet, and where else the address may be looked up."""
        asked = self._read(address)
        not_known = list(_NOT_KNOWN)
        try:
            forms = await self._forms(await self.names.actor_id(asked, address))
        except (AddressUnresolved, ActorUnknown, NodeSilent, TooManyAddresses) as error:
            forms = {**forms_of([asked], self._prefix), "looked_up": False}
            not_known.insert(0, f"Which actor id this address has is not known: {error}.")
        async with self.index.at_head() as (_, standpoint):
            return {
                "address": forms["id"] or asked.to_text(self._prefix),
                "role": "allocator",
                "forms": forms,
                "datacap": None,
                "clients": None,
                "grants": [],
                "not_known": not_known,
                "as_of": as_of(standpoint),
                "programme": standpoint.programme,
            }

    async def _forms(self, actor_id: int) -> Document:
        """The addresses of an actor, as far as they are known."""
        others = await self.names.addresses(actor_id)
        return {
            **forms_of([actor_address(actor_id), *(others or ())], self._prefix),
            "looked_up": others is not None,
        }

    def _read(self, address: str) -> Address:
        return read_address(address, address_prefixes(self.index.network))

    @property
    def _prefix(self) -> str:
        return self.index.network.address_prefix

    async def _summary(
        self, connection: asyncpg.Connection, role: Role, party_id: int, standpoint: Standpoint, terms: Terms | None
    ) -> Document | None:
        """What is counted: now, or ahead of time for a large party; None where that was not done yet."""
        if terms is None:
            return None
        if not await is_large(connection, role, party_id, self.large_records):
            counted = await count_party(connection, role, party_id, terms)
            return {**counted.document, "as_of": as_of(standpoint), "counted": "now"}
        kept = await load_summary(connection, role, party_id)
        if kept is None:
            return None
        time = rfc3339(time_of_epoch(standpoint.network, kept.epoch))
        moment = {"epoch": kept.epoch, "tipset": None, "time": time, "finality": None}
        return {**kept.document, "as_of": moment, "counted": "ahead"}


_NOT_KNOWN = (
    "How much DataCap an allocator has, and whom it gave it to, is not indexed: its events change no verdict.",
    "Grants that are made here will be listed once this explorer makes any; it has made none yet.",
)


def _table_document(role: Role, party_id: int, name: str, page: Page, standpoint: Standpoint) -> Document:
    return {
        "address": actor_address(party_id).to_text(standpoint.network.address_prefix),
        "role": role,
        "table": name,
        "items": page.items,
        "next_cursor": page.next_cursor,
        "programme": standpoint.programme,
    }


def _demand_table(role: Role, name: str) -> None:
    """TableUnknown for the table of the other side's parties: a client has providers, a provider clients."""
    if name == f"{role}s":
        raise TableUnknown(f"a {role} has no table of {name}; it has one of {OTHER[role]}s", value=name)


def _cut(summary: Document) -> Document:
    """The summary with the largest shares only."""
    return {
        name: {
            **part,
            "shares": {"total": len(part["shares"]), "items": part["shares"][:SHOWN_SHARES]},
        }
        if name in RECORD_KINDS
        else part
        for name, part in summary.items()
    }


_COUNTED: Mapping[str, str] = {
    "statuses": "statuses",
    "providers": "shares",
    "clients": "shares",
    "months": "months",
    "copies": "copies",
}
"""The table's name in the address, and in what is counted."""


def _counted_table(summary: Document | None, name: str, of: RecordKind) -> Page:
    return _EMPTY if summary is None else Page(summary[of][_COUNTED[name]], None)


def _coverage(terms: Terms | None, standpoint: Standpoint) -> Document:
    """Whether records may be missing that would be counted here."""
    missing = [] if terms is None else [k for k in RECORD_KINDS if not standpoint.coverage.covers(k, terms.epoch)]
    return {"complete": terms is not None and not missing, "missing": list(RECORD_KINDS) if terms is None else missing}
