"""The receiver that docs/operator.md prints, run as it stands."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from explorer.alerts.letters import Letter
from explorer.alerts.schedule import Outcome
from explorer.alerts.sending import open_webhook_sender
from explorer.alerts.standard_webhooks import Secret, new_secret
from tests.clusters import CHECKOUT
from tests.integration.alerts.conftest import LOCAL
from tests.patience import until

BODY = '{"type":"review.requested","timestamp":"2026-11-23T00:00:00.000Z","data":{"id":"r1"}}'
[PRINTED] = re.findall(r"```python\n(.*?)```", (CHECKOUT / "docs" / "operator.md").read_text(), re.DOTALL)


@asynccontextmanager
async def printed_receiver(told: Path, secrets: str) -> AsyncIterator[str]:
    """The address of the receiver, which prints into a file."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = PRINTED.replace("9000", str(port))
    environment = {**os.environ, "ALERT_SECRETS": secrets}
    with told.open("wb") as out:
        receiver = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code), env=environment, stdout=out, stderr=asyncio.subprocess.DEVNULL
        )
    try:
        await until(lambda: listens(port))
        yield f"http://127.0.0.1:{port}/"
    finally:
        receiver.kill()
        await receiver.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_it_believes_what_is_genuine_and_does_nothing_twice(tmp_path: Path) -> None:
    old, new, other = new_secret(os.urandom), new_secret(os.urandom), new_secret(os.urandom)
    since = datetime.now(UTC) - timedelta(days=1)
    told = tmp_path / "told"
    async with printed_receiver(told, f"{old} {new}") as url, open_webhook_sender(LOCAL) as sender:
        letter = Letter("wh", url, "msg_1", "review.requested", BODY, (Secret(new, since),))
        assert (await sender.send(letter)).outcome is Outcome.DELIVERED
        assert (await sender.send(letter)).outcome is Outcome.DELIVERED
        forged = replace(letter, webhook_id="msg_2", secrets=(Secret(other, since),))
        assert (await sender.send(forged)).status == 401
    minutes_ago = open_webhook_sender(LOCAL, now=lambda: datetime.now(UTC) - timedelta(minutes=6))
    async with minutes_ago as late, printed_receiver(tmp_path / "late", new) as url:
        assert (await late.send(replace(letter, url=url))).status == 401
    assert told.read_text() == "review.requested {'id': 'r1'}\n"
