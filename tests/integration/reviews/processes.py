"""Processes that take reviews and decide on them, to be killed: each says what it has been told was done."""

import asyncio
import multiprocessing
import random
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess

from explorer.access.actors import Actor, ActorKind
from explorer.ground.database import open_pool
from explorer.reviews.changes import reopen
from explorer.reviews.deciding import approval_text, decide
from explorer.reviews.desk import Desk
from explorer.reviews.errors import LifeRefused
from explorer.reviews.intake import request_review
from explorer.signatures.verify import sign_text
from node.network import NETWORKS
from tests.e2e.fake_index import FakeIndex
from tests.integration.reviews.requests import job, proof_of
from tests.unit.signatures.builders import NOTARY, NOTARY_F1, OTHER, OTHER_F1

JOBS = 40
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
OPERATOR = Actor(ActorKind.OPERATOR, "operator", "the operator")
SIGNERS = {NOTARY_F1: NOTARY, OTHER_F1: OTHER}

_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def started(dsn: str, cluster: Actor, seed: int, say: Connection) -> ForkServerProcess:
    """A process that works until it is killed."""
    process = _CONTEXT.Process(target=work, args=(dsn, cluster, seed, say), daemon=True)
    process.start()
    return process


def work(dsn: str, cluster: Actor, seed: int, say: Connection) -> None:
    """What such a process does."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_work(dsn, cluster, random.Random(seed), say))


async def _work(dsn: str, cluster: Actor, chance: random.Random, say: Connection) -> None:
    async with open_pool(dsn, application_name="reviews") as pool:
        desk = Desk(
            pool=pool,
            network=NETWORKS["mainnet"],
            public_url="https://filplus.test",
            index=FakeIndex(),
            quorum_bytes=1 << 50,
        )
        while True:
            await _once(desk, cluster, chance, say)


async def _once(desk: Desk, cluster: Actor, chance: random.Random, say: Connection) -> None:
    """Reports a job, which may have been reported before, and decides or reopens."""
    job_id = f"j-{chance.randrange(JOBS)}"
    body = job(job_id=job_id, requested_bytes=str(1 << 50), publisher_proof=proof_of(job_id=job_id, expires_at=NEVER))
    review, _ = await request_review(desk, cluster, body)
    say.send(("review", job_id, review["id"]))
    signer, decision = chance.choice(list(SIGNERS)), chance.choice(["approve", "approve", "reject"])
    try:
        if review["state"] == "rejected":
            await reopen(desk, OPERATOR, review["id"], "again")
        text = (await approval_text(desk, None, review["id"], decision, signer))["message"]
        signature = sign_text(SIGNERS[signer], text)
        await decide(desk, None, review["id"], decision=decision, comment="c", message=text, signature=signature)
        say.send(("decision", review["id"], text))
    except LifeRefused:
        return
