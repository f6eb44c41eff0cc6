"""One attempt: a signed message on its way to one webhook, and what came back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver

from explorer.alerts.addresses import Policy
from explorer.alerts.errors import AddressRefused
from explorer.alerts.guard import Guard, guarded_session
from explorer.alerts.letters import Answer, Letter
from explorer.alerts.schedule import Outcome, hold_asked_s, outcome_of_status
from explorer.alerts.standard_webhooks import headers
from explorer.version import VERSION

MOST_READ_BYTES: Final = 64 * 1024
READ_TIMEOUT_S: Final = 3.0
EXCERPT_CHARACTERS: Final = 500
_ERROR_CHARACTERS: Final = 300


class WebhookSender:
    """Posts letters by Standard Webhooks, https and plain http each under its own guard."""

    def __init__(
        self,
        tls: aiohttp.ClientSession,
        plain: aiohttp.ClientSession,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tls = tls
        self._plain = plain
        self._now = now

    async def send(self, letter: Letter) -> Answer:
        """Makes one attempt, signed as of now."""
        body = letter.body.encode()
        try:
            signed = headers(letter.secrets, letter.webhook_id, self._now(), body)
        except ValueError as error:
            return Answer(Outcome.REFUSED, error=str(error))
        try:
            return await self._post(letter.url, signed, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return _failed(error)

    async def _post(self, url: str, signed: Mapping[str, str], body: bytes) -> Answer:
        session = self._plain if url.startswith("http:") else self._tls
        manners = {
            "Content-Type": "application/json",
            "User-Agent": f"filplus/{VERSION}",
            "Accept-Encoding": "identity",
        }
        async with session.post(url, data=body, headers={**manners, **signed}, allow_redirects=False) as response:
            retry_after = response.headers.get("Retry-After")
            excerpt = await _excerpt(response)
            response.close()  # what hasn't been read never will be
        outcome = outcome_of_status(response.status)
        return Answer(
            outcome,
            response.status,
            None if outcome is Outcome.DELIVERED else f"answered {response.status}",
            excerpt,
            hold_asked_s(response.status, retry_after, now=self._now()),
        )


def _failed(error: Exception) -> Answer:
    """No answer. What the guard refused is refused; anything else may work later."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    text = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
    refused = isinstance(cause, AddressRefused | aiohttp.InvalidURL)
    return Answer(Outcome.REFUSED if refused else Outcome.TRANSIENT, error=printable(text, _ERROR_CHARACTERS))


async def _excerpt(response: aiohttp.ClientResponse) -> str | None:
    """The beginning of the body, of what comes soon; the status alone decides, however the body ends."""
    read = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            while len(read) < MOST_READ_BYTES:
                part = await response.content.read(MOST_READ_BYTES - len(read))
                if not part:
                    break
                read += part
    except (aiohttp.ClientError, OSError, TimeoutError):
        pass
    return printable(read.decode(errors="replace"), EXCERPT_CHARACTERS) or None


def printable(text: str, most: int) -> str:
    """The beginning of a text from outside, with nothing in it that a terminal or database would stumble over."""
    return "".join(char if char.isprintable() else " " for char in text[:most]).strip()


@asynccontextmanager
async def open_webhook_sender(
    policy: Policy,
    *,
    resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
    ssl: Any = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[WebhookSender]:
    """Opens what webhooks are sent with, and closes it."""
    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(guarded_session(Guard(policy, plain), resolver=resolver, ssl=ssl))
            for plain in (False, True)
        ]
        yield WebhookSender(sessions[0], sessions[1], now)
