"""An index in memory, with one CID for each verdict: what the HTTP layer's own tests stand on."""

import asyncio
import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from explorer.errors import (
    DatabaseUnavailable,
    EpochNotIndexed,
    MalformedCid,
    MalformedCursor,
    NotFound,
)
from explorer.web.ports import AsOf, Document, EvidenceRequest

HEAD = 4_622_139
HEAD_TIME = datetime(2025, 1, 15, 15, 9, 30, tzinfo=UTC)
YEAR = 1_051_920
SIZE = 34_359_738_368

ACTIVE = "baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq"
PAST = "baga6ea4seaqkvof756l5saagx7mj4jgg3saewghf222sk4uizy7rhiou36jaeoa"
PENDING = "baga6ea4seaqiy5ispqyasbauwy24iajby47elq5xhhmsm2evj2u5pwbwxxdfuoy"
NONE = "baga6ea4seaqbyfhcuhsaf42hqzu42utf4d23pkchf23jbp2234mdr7fhb6g36cq"
UNKNOWN = "bafybeie6sb6kzt5z6vkj34fnudsh2yf4tvhfkstwet2hn4rebeesgqss2q"
PAYLOAD = "bafybeif53axbvb3gbbidww37e36kahbfzui4ypp44uqyjs7bvrdmvjesfq"
INLINE = "bafkqaaa"

EVIL_LABEL = "<script>alert(1)</script> \u202egnp.exe\x00 \x1b[31mred"

_CID = re.compile(r"(?:ipfs://|/ipfs/)?((?:baga|bafy|bafk|Qm)[A-Za-z0-9]{4,200})")


def claim(number: int, *, start: int, status: str = "active", **changed: Any) -> Document:
    """A claim of two and a half years."""
    return {
        "id": 87_884_600 + number,
        "client": "f03300309",
        "provider": f"f0{1531188 + number % 4 * 91}",
        "piece_cid": ACTIVE,
        "size_bytes": SIZE,
        "term_start_epoch": start,
        "term_min_epochs": 1_056_960,
        "term_max_epochs": 1_316_160,
        "expires_epoch": start + 1_316_160,
        "sector": 103_327 + number,
        "status": status,
    } | changed


def deal(number: int, *, start: int, status: str = "active", **changed: Any) -> Document:
    """A verified deal of a year and a half, labelled with the payload."""
    label = changed.get("label", PAYLOAD)
    return {
        "id": number,
        "client": "f01880278",
        "provider": f"f0{2118066 + number % 3}",
        "piece_cid": ACTIVE,
        "size_bytes": SIZE,
        "label": label,
        "label_base64": base64.b64encode((label or "\xff").encode("utf-8", "surrogatepass")).decode(),
        "verified": True,
        "start_epoch": start,
        "end_epoch": start + 1_500_000,
        "sector_start_epoch": start - 3_000,
        "slash_epoch": -1,
        "status": status,
    } | changed


def allocation(number: int, status: str = "pending") -> Document:
    """An allocation that can be claimed for another month."""
    return {
        "id": 90_000_000 + number,
        "client": "f03300309",
        "provider": "f01531188",
        "piece_cid": PENDING,
        "size_bytes": SIZE // 2,
        "term_min_epochs": 1_463_040,
        "term_max_epochs": 1_555_200,
        "expiration_epoch": HEAD + 86_400,
        "status": status,
    }


def _active_records() -> dict[str, list[Document]]:
    claims = [claim(n, start=HEAD - YEAR + n * 90_000) for n in range(9)]
    claims += [
        claim(20, start=HEAD - 3 * YEAR, status="expired"),
        claim(21, start=HEAD - YEAR, status="sector_terminated"),
    ]
    deals = [deal(n + 3, start=HEAD - 3 * YEAR + n * 60_000, status="expired") for n in range(2)]
    deals += [
        deal(61_000_001, start=HEAD - 300_000, label=EVIL_LABEL),
        deal(61_000_002, start=HEAD - 200_000, end_epoch=36_744_320, label=None),
        deal(61_000_003, start=HEAD - 500_000, status="slashed", slash_epoch=HEAD - 100_000, label=""),
        deal(61_000_004, start=HEAD - 500_000, status="unverified", verified=False),
    ]
    return {"claims": claims, "deals": deals, "allocations": [allocation(1, "claimed")]}


RECORDS: dict[str, dict[str, list[Document]]] = {
    ACTIVE: _active_records(),
    PAYLOAD: {
        "claims": [claim(30, start=HEAD - YEAR)],
        "deals": [deal(61_000_005, start=HEAD - YEAR)],
        "allocations": [],
    },
    PAST: {
        "claims": [claim(40, start=HEAD - 3 * YEAR, status="expired"), claim(41, start=HEAD - 2 * YEAR, status="gone")],
        "deals": [deal(9, start=HEAD - 4 * YEAR, status="expired")],
        "allocations": [],
    },
    PENDING: {
        "claims": [],
        "deals": [deal(61_000_006, start=HEAD + 2_000, status="published", sector_start_epoch=-1)],
        "allocations": [allocation(1), allocation(2)],
    },
}

VERDICTS = {ACTIVE: "active", PAYLOAD: "active", PAST: "past", PENDING: "pending", NONE: "none"}
FILPLUS = {"active": True, "unknown": None}
REASONS = {
    "active": "Claims cover this piece. A claim says that DataCap was spent on it, not that it is still stored.",
    "pending": "DataCap is set aside for this piece, and no provider has claimed it yet.",
    "past": "Every claim and deal of this piece has ended.",
    "none": "No claim, deal or allocation names this piece, and the index covers every kind at this epoch.",
    "unknown": "This is a payload CID; since network version 22 data comes in without a label.",
}


class FakeIndex:
    """Answers as the protocol says. `down` makes the database fail, `delay_s` makes every answer wait."""

    def __init__(self, *, network: str = "mainnet", programme: str = "open", retires_at: int | None = None) -> None:
        self.network = network
        self.programme = programme
        self.retires_at = retires_at
        self.down = False
        self.broken = False
        self.delay_s = 0.0
        self.empty = False

    async def ping(self) -> None:
        """Fails while the database is down."""
        await asyncio.sleep(self.delay_s)
        if self.down:
            raise DatabaseUnavailable("postgresql://secret@host does not answer")
        if self.broken:
            raise RuntimeError("a bug with a secret in it")

    async def verdict(self, cid: str, *, at: AsOf, evidence: EvidenceRequest) -> Document:
        """The verdict of one of the CIDs above; any other piece has none, any other payload is unknown."""
        await self.ping()
        name = self._canonical(cid)
        word = VERDICTS.get(name, "none" if name.startswith("baga") else "unknown")
        epoch = self._epoch(at)
        records = RECORDS.get(name, {})
        return {
            "cid": cid,
            "canonical": name,
            "kind": self._kind(name),
            "filplus": FILPLUS.get(word, False),
            "verdict": word,
            "reason": REASONS[word],
            "evidence": {
                **{kind: _page(kind, records.get(kind, []), evidence) for kind in ("claims", "deals", "allocations")},
                "pieces": [{"piece_cid": ACTIVE, "source": "label of deal 61000005"}] if name == PAYLOAD else [],
            },
            "as_of": self._as_of(epoch),
            "coverage": {
                "complete": word == "none",
                "gaps": [] if word == "none" else ["Deals: nothing is indexed between epochs 0 and 4622138."],
                "sources": [{"name": "claims.json.zst", "from_epoch": HEAD, "through_epoch": HEAD}],
            },
            "programme": self._programme(),
            "notes": ["A deal's label is what its client wrote: evidence, not proof."] if name == PAYLOAD else [],
        }

    async def verdicts(self, cids: Sequence[str], *, at: AsOf) -> Document:
        """A row for each CID, an error for what is none."""
        epoch = self._epoch(at)
        results = []
        for cid in cids:
            try:
                found = await self.verdict(cid, at=at, evidence=EvidenceRequest())
                results.append({key: found[key] for key in ("cid", "filplus", "verdict")})
            except MalformedCid as error:
                results.append({"cid": cid, "error": {"code": error.code, "detail": str(error)}})
        return {"results": results, "as_of": self._as_of(epoch)}

    async def describe(self, cid: str) -> Document:
        """The CID taken apart, as far as the tests look."""
        await self.ping()
        name = self._canonical(cid)
        kind = self._kind(name)
        return {
            "cid": cid,
            "canonical": name,
            "kind": kind,
            "version": 1,
            "codec": 0xF101 if kind == "piece" else 0x70,
            "codec_name": "fil-commitment-unsealed" if kind == "piece" else "dag-pb",
            "hash_name": "sha2-256-trunc254-padded" if kind == "piece" else "sha2-256",
            "multihash": "9220" + "20478606f8ef11bcf1ad258dbd82eac8b10b36b23adc0c74c38ddef6c66871c426",
            "piece_cid_v1": name if kind == "piece" else None,
            "piece_cid_v2": None,
            "piece_size_bytes": SIZE if name in RECORDS and kind == "piece" else None,
            "forms": {"base32": name, "base58btc": None},
            "explanation": "This is a piece CID: claims and deals are recorded by it."
            if kind == "piece"
            else "This is a payload CID: the root of content, while claims are recorded by piece CID.",
        }

    async def deal(self, deal_id: int) -> Document:
        """One of the deals above."""
        return await self._record("deals", deal_id)

    async def claim(self, claim_id: int) -> Document:
        """One of the claims above."""
        return await self._record("claims", claim_id)

    async def allocation(self, allocation_id: int) -> Document:
        """One of the allocations above."""
        return await self._record("allocations", allocation_id)

    async def present(self) -> Document:
        """The head and the programme."""
        await self.ping()
        return {"index": self._present(), "programme": self._programme()}

    async def status(self) -> Document:
        """An index with complete claims, partial deals and no allocations, or an empty one."""
        await self.ping()
        covered = [
            {
                "kind": "claims",
                "from_epoch": 2_383_680,
                "through_epoch": 3_900_000,
                "source": "following",
                "complete": True,
            },
            {
                "kind": "claims",
                "from_epoch": HEAD,
                "through_epoch": HEAD,
                "source": "claims.json.zst",
                "complete": True,
            },
            {"kind": "deals", "from_epoch": HEAD, "through_epoch": HEAD, "source": "deals.json", "complete": False},
        ]
        counts = {"deals": 34_120, "claims": 1_204_551, "allocations": 15_020, "payload_pieces": 5_021}
        return {
            "network": self.network,
            "index": {
                **self._present(),
                "coverage": [] if self.empty else covered,
                "counts": dict.fromkeys(counts, 0) if self.empty else counts,
            },
            "node": None,
            "programme": self._programme(),
            "examples": [] if self.empty else [ACTIVE, PAYLOAD, PAST],
        }

    async def _record(self, kind: str, number: int) -> Document:
        await self.ping()
        for records in RECORDS.values():
            for record in records[kind]:
                if record["id"] == number:
                    return record
        raise NotFound(f"There is no {kind[:-1]} {number} in the index; /status says what it covers.", value=number)

    def _present(self) -> Document:
        """Where the index ends."""
        return {"epoch": None if self.empty else HEAD, "time": None if self.empty else "2025-01-15T15:09:30Z"}

    def _canonical(self, cid: str) -> str:
        found = _CID.fullmatch(cid)
        if found is None:
            raise MalformedCid(f"{cid[:60]!r} is no CID; give one such as {ACTIVE[:14]}…", value=cid)
        return found[1]

    def _kind(self, name: str) -> str:
        return "piece" if name.startswith("baga") else "inline" if name == INLINE else "payload"

    def _epoch(self, at: AsOf) -> int:
        elapsed = None if at.time is None else (at.time - HEAD_TIME).total_seconds()
        epoch = HEAD + int(elapsed // 30) if elapsed is not None else HEAD if at.epoch is None else at.epoch
        if not 0 <= epoch <= HEAD:
            raise EpochNotIndexed(f"Epoch {epoch} is beyond the index, which reaches {HEAD}.", value=epoch)
        return epoch

    def _as_of(self, epoch: int) -> Document:
        moment = HEAD_TIME + timedelta(seconds=30 * (epoch - HEAD))
        return {"epoch": epoch, "tipset": None, "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "finality": None}

    def _programme(self) -> Document:
        return {
            "network": self.network,
            "network_version": 28,
            "status": self.programme,
            "retires_at_epoch": self.retires_at,
        }


def _page(kind: str, records: list[Document], wanted: EvidenceRequest) -> Document:
    """A page of records; a cursor is `at` and an index."""
    cursor = wanted.cursors.get(kind)
    found = re.fullmatch(r"at([0-9]{1,9})", cursor or "at0")
    if found is None:
        raise MalformedCursor(f"{cursor!r} is no cursor of this index.", value=cursor)
    start = int(found[1])
    items = records[start : start + wanted.limit] if wanted.full else []
    more = wanted.full and start + wanted.limit < len(records)
    return {
        "total": len(records),
        "active": sum(r["status"] == "active" for r in records),
        "items": items,
        "next_cursor": f"at{start + wanted.limit}" if more else None,
    }
