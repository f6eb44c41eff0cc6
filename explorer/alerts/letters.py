"""What is sent in one attempt, by whom, and what comes of it."""

from dataclasses import dataclass
from typing import Protocol

from explorer.alerts.schedule import Outcome
from explorer.alerts.standard_webhooks import Secret


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for one endpoint. `secrets` are all of the endpoint's; a channel has none."""

    endpoint_id: str
    url: str
    webhook_id: str
    type: str
    body: str
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt. `asked_s`: for how long the endpoint asked to be sent nothing."""

    outcome: Outcome
    status: int | None = None
    error: str | None = None
    excerpt: str | None = None
    asked_s: float | None = None


class Sender(Protocol):
    """Sends letters of one kind of endpoint."""

    async def send(self, letter: Letter) -> Answer:
        """Makes one attempt. Whatever goes wrong with it is in the answer."""
