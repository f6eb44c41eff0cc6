"""A service over a real index of parties: a client with everything, hostile labels among it, and an empty one."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from explorer.ground.database import open_pool
from explorer.parties.counting import LARGE_RECORDS
from explorer.parties.resolving import Resolver
from explorer.parties.service import PartyService
from explorer.web.app import make_app
from explorer.web.broadcast import Broadcast
from explorer.web.config import Limits, WebConfig
from explorer.web.listening import answering
from tests.integration.index.importing import MAINNET, Importer
from tests.unit.index.dumps import allocation_entry, claim_entry, deal_entry

HEAD = 4_900_000
CLAIMS = 1300
LABELS = [
    '=HYPERLINK("http://evil.example","x")',
    "<script>document.title='owned'</script>",
    "+1",
    "@SUM(A1)",
    "\u202egnp.exe",
    "a\nb, c",
    "plain",
]
CLIENT, PROVIDER, NOBODY = "f05000", "f01000", "f09999"


async def fill(pool: asyncpg.Pool, folder: Path) -> None:
    """Claims over two years at twelve providers, some pieces of two clients, deals with labels, allocations."""
    draw = random.Random(7)
    imports = Importer(pool, folder, MAINNET)
    claims = {
        number: claim_entry(
            draw.randrange(400),
            Client=5000 + (number % 10 == 0),
            Provider=1000 + draw.randrange(draw.randrange(1, 13)),
            TermMin=10,
            TermMax=draw.choice([500_000, 1_500_000]),
            TermStart=draw.randrange(3_000_000, HEAD),
            Sector=number,
        )
        for number in range(1, CLAIMS + 1)
    }
    await imports(claims, kind="claims", at_epoch=HEAD)
    state = {"SectorStartEpoch": 4_000_000, "SlashEpoch": -1}
    parties = {"Client": CLIENT, "Provider": PROVIDER, "StartEpoch": 4_000_500, "EndEpoch": 5_300_000}
    deals = {
        number: deal_entry(number, state=state, Label=LABELS[number % len(LABELS)], VerifiedDeal=True, **parties)
        for number in range(1, 30)
    }
    await imports(deals, kind="deals", at_epoch=HEAD, partial=True)
    allocations = {
        number: allocation_entry(number, Client=5000, Provider=1000, Expiration=HEAD + 1000)
        for number in range(CLAIMS + 1, CLAIMS + 4)
    }
    await imports(allocations, kind="allocations", at_epoch=HEAD, partial=True)


@asynccontextmanager
async def party_service(
    dsn: str,
    folder: Path,
    *,
    limits: Limits | None = None,
    large_records: int = LARGE_RECORDS,
    fills: bool = True,
    names: Resolver | None = None,
    feed: Broadcast | None = None,
) -> AsyncIterator[str]:
    """The address of a service over such an index; `names` tells whose an address is, `feed` what happens."""
    async with open_pool(dsn, application_name="parties") as pool:
        if fills:
            await fill(pool, folder)
        index = Importer(pool, folder, MAINNET).service()
        broadcast = feed or Broadcast()
        broadcast.begin([])
        with socket.create_server(("127.0.0.1", 0)) as bound:
            host, port = bound.getsockname()
            config = WebConfig(
                network="mainnet",
                public_url=f"http://{host}:{port}",
                version="0.0.0",
                limits=limits or Limits(),
                now=_two_days_later,
            )
            parties = PartyService(index=index, large_records=large_records, names=names or Resolver())
            app = make_app(index, config=config, broadcast=broadcast, parties_known=parties)
            async with answering(app, bound):
                yield f"http://{host}:{port}"


def _two_days_later() -> datetime:
    return datetime(2025, 4, 24, tzinfo=UTC)
