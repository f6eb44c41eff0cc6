"""From a job to a decision: a cluster reports, a notary hears of it, the publisher proves, the notary decides.

Every key is made for the run and worth nothing. The notary decides by the program, in a process of its own.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from explorer.access.actors import OPERATOR
from explorer.access.clusters import add_cluster
from explorer.access.notaries import add_notary
from explorer.alerts.addresses import Policy
from explorer.alerts.service import WebhookService
from explorer.client import ExplorerClient
from explorer.demo.narrating import Document, Narrator
from explorer.demo.receiver import LOCAL, Receiver, open_receiver
from explorer.demo.story import CHAPTERS, JOBS, PIECE, job_over
from explorer.errors import FilplusError
from explorer.signatures.keyfile import seal_key, write_key_file
from explorer.signatures.signing import addresses_of, sign_own_text
from node.address import Address
from node.signing import SecretKey, secret_key_from_bytes

PASSPHRASE = "throwaway"  # noqa: S105 - of a key that is worth nothing, and printed
CLUSTER, NOTARY_NAME = "berlin", "Ada, a notary of the demo"
APPROVED_BYTES, REJECTED_BYTES = 1 << 40, 1 << 45

RunCommand = Callable[..., Awaitable[list[str]]]
"""Runs `filplus` on a data directory with arguments; the lines that it prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Those who meet over a review, besides the explorer."""

    folder: Path
    pool: asyncpg.Pool
    receiver: Receiver
    publisher: SecretKey

    @property
    def key_file(self) -> Path:
        """The notary's key."""
        return self.folder / "notary-key.json"


@asynccontextmanager
async def met(pool: asyncpg.Pool, folder: Path) -> AsyncIterator[Meeting]:
    """A meeting whose receiver listens as long as the context lasts."""
    async with open_receiver() as receiver:
        yield Meeting(folder=folder, pool=pool, receiver=receiver, publisher=_new_key())


async def told_reviews(
    narrator: Narrator, client: ExplorerClient, meeting: Meeting, run_command: RunCommand
) -> list[Document]:
    """One review that is approved and one that is rejected; what became of each."""
    await _introduce(narrator, client, meeting)
    review = await _report(narrator, client, meeting, "regrid-1", PIECE, APPROVED_BYTES)
    await _prove(narrator, client, meeting, review)
    approved = await _decide(narrator, meeting, client, run_command, review, "approve", "Open data, as described.")
    if approved["state"] != "approved":
        raise FilplusError(f"the demo expected review {review} to be approved, it is {approved['state']}")
    narrator.remark("No DataCap moved: that is what grants will do.")
    other = await _report(narrator, client, meeting, "mirror-1", CHAPTERS[0].cids[0], REJECTED_BYTES)
    rejected = await _decide(narrator, meeting, client, run_command, other, "reject", "32 TiB for a copy of one piece?")
    if rejected["state"] != "rejected":
        raise FilplusError(f"the demo expected review {other} to be rejected, it is {rejected['state']}")
    return [{"review": one["id"], "state": one["state"], "sentence": one["sentence"]} for one in (approved, rejected)]


async def _introduce(narrator: Narrator, client: ExplorerClient, meeting: Meeting) -> None:
    """The operator adds a cluster, a notary and where alerts go; from now on the client asks as the cluster."""
    narrator.title("The operator adds a cluster, a notary, and where the notary hears of reviews")
    notary = _new_key()
    sealed = await asyncio.to_thread(seal_key, notary, PASSPHRASE)
    write_key_file(meeting.key_file, sealed)
    async with meeting.pool.acquire() as connection:
        cluster = await add_cluster(connection, CLUSTER, by=OPERATOR)
        for address in addresses_of(notary):  # the second is what an Ethereum wallet with the key signs as
            await add_notary(connection, address, NOTARY_NAME, by=OPERATOR)
    webhooks = WebhookService(meeting.pool, Policy((LOCAL,)))
    added = await webhooks.add(meeting.receiver.url, None, actor=OPERATOR)
    meeting.receiver.secret = added["secret"]
    client.use_key(cluster.key or "")
    narrator.line(f"cluster  {cluster.name}, by a key that was shown once")
    narrator.line(f"notary   {NOTARY_NAME}: {' or '.join(str(address) for address in addresses_of(notary))}")
    narrator.line(f"webhook  {meeting.receiver.url}")


async def _report(
    narrator: Narrator, client: ExplorerClient, meeting: Meeting, job_id: str, cid: str, requested_bytes: int
) -> str:
    """The id of the review of a job, once the notary's receiver has heard of it."""
    narrator.title(f"The cluster reports a job over FIL+ data, {job_id}; an alert tells the notary")
    body = job_over(job_id, cid, str(_publisher_address(meeting)), requested_bytes)
    review = await client.report(body)
    [verdict] = [one["verdict"] for one in review["inputs"]]
    narrator.verdict(verdict, cid)
    narrator.line(f"POST /reviews: {review['id']}, {review['sentence']}")
    await _hear(narrator, meeting, "review.requested", review["id"])
    return str(review["id"])


async def _hear(narrator: Narrator, meeting: Meeting, message_type: str, review_id: str) -> None:
    webhook_id = await meeting.receiver.expect(message_type, review_id)
    narrator.line(f"alert {message_type} arrived, its signature verified: {webhook_id}")


async def _prove(narrator: Narrator, client: ExplorerClient, meeting: Meeting, review_id: str) -> None:
    narrator.title("The publisher proves by a signature that the address is its own")
    proved = await _proved(client, meeting, review_id)
    narrator.line(proved["publisher_proof"]["message"].splitlines()[1])
    narrator.line(proved["sentence"])


async def _proved(client: ExplorerClient, meeting: Meeting, review_id: str) -> Document:
    text = (await client.publisher_proof(review_id))["message"]
    return await client.prove(review_id, {"message": text, "signature": sign_own_text(meeting.publisher, text)})


async def _decide(
    narrator: Narrator,
    meeting: Meeting,
    client: ExplorerClient,
    run_command: RunCommand,
    review_id: str,
    decision: str,
    comment: str,
) -> Document:
    """The review after the notary's decision from the terminal, of which an alert tells, too."""
    words = {"approve": "approves", "reject": "rejects the other one"}
    narrator.title(f"The notary {words[decision]}, by a signature from the terminal")
    arguments = ("review", decision, review_id, "--key", str(meeting.key_file), "--comment", comment, "--yes")
    narrator.remark(
        f'$ filplus review {decision} {review_id} --key {meeting.key_file.name} --comment "{comment}" --yes'
    )
    for line in await run_command(meeting.folder, *arguments):
        narrator.line(line)
    await _hear(narrator, meeting, "review.decided", review_id)
    return await client.review(review_id)


async def open_queue(client: ExplorerClient, meeting: Meeting) -> list[str]:
    """Leaves some reviews open, unlike one another; their ids, the first of them ready to be approved."""
    made = []
    for job_id, cid, requested_bytes, is_proven in JOBS:
        body = job_over(job_id, cid, str(_publisher_address(meeting)), requested_bytes)
        review_id = str((await client.report(body))["id"])
        if is_proven:
            await _proved(client, meeting, review_id)
        made.append(review_id)
    return made


def _new_key() -> SecretKey:
    return secret_key_from_bytes(secrets.token_bytes(32))


def _publisher_address(meeting: Meeting) -> Address:
    return addresses_of(meeting.publisher)[0]
