"""Chat and mail, by the optional package Apprise: Slack, Discord, Matrix and e-mail.

A channel is an endpoint like others, with retries, order and dead letters; its address stands only in the settings.
Not covered: the guard of addresses (Apprise resolves and connects by itself, so only the operator names channels, and
only of the schemes below); signatures; repeated messages, which a chat can't tell by their id; transient and permanent,
since Apprise says yes or no. A thread that hangs holds up channels, never webhooks.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from explorer.alerts.errors import ChannelRefused
from explorer.alerts.schedule import Outcome
from explorer.alerts.sending import Answer, Letter, printable

SCHEMES: Final = frozenset({"slack", "discord", "matrixs", "mailtos"})
"""Over TLS only, and none by which any host could be called."""
TIMEOUT_S: Final = 30.0
THREADS: Final = 2
_LONGEST_LINE: Final = 300


class Notifier(Protocol):
    """What we use of `apprise.Apprise`."""

    def add(self, servers: str) -> bool:
        """Reads an address."""

    def notify(self, body: str, title: str) -> object:
        """Sends; what it returns is true where that went well."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A chat or an address for mail. The id is made of the whole address, so that another one is another endpoint."""

    id: str
    scheme: str
    address: str = field(repr=False)


def parse_channels(text: str) -> tuple[Channel, ...]:
    """The channels of a setting, with spaces or line breaks between; ChannelRefused shows no more than a scheme."""
    return tuple(dict.fromkeys(_parse_channel(part) for part in text.split()))


def _parse_channel(text: str) -> Channel:
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        shown = printable(scheme, 20) + "://…" if separator else "an address without ://"
        raise ChannelRefused(f"{shown} is no channel: allowed are {', '.join(sorted(SCHEMES))}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Channel(f"ch_{digest[:16]}", scheme.lower(), text)


def apprise_notifier() -> Notifier:
    """A notifier of Apprise's; ChannelRefused where the package isn't there."""
    try:
        import apprise  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ChannelRefused("channels need Apprise: pip install 'filplus-explorer[alerts]'") from error
    asset = apprise.AppriseAsset(app_id="filplus", app_desc="filplus", plugin_paths=[], storage_mode="memory")
    notifier: Notifier = apprise.Apprise(asset=asset)
    return notifier


class ChannelSender:
    """Sends letters to channels, in threads of its own. Close it after use."""

    def __init__(self, channels: tuple[Channel, ...], notifier: Callable[[], Notifier] = apprise_notifier) -> None:
        self._notifiers = {channel.id: _opened(channel, notifier) for channel in channels}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="channels")

    async def send(self, letter: Letter) -> Answer:
        """Makes one attempt."""
        notifier = self._notifiers.get(letter.endpoint_id)
        if notifier is None:
            return Answer(Outcome.TRANSIENT, error="another process's settings name this channel")
        title, body = message_of(json.loads(letter.body), letter.webhook_id)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                went_well = await asyncio.get_running_loop().run_in_executor(
                    self._threads, lambda: notifier.notify(body=body, title=title)
                )
        except TimeoutError:
            return Answer(Outcome.TRANSIENT, error=f"no end within {TIMEOUT_S:g} s")
        except Exception as error:  # noqa: BLE001 - a plugin of Apprise's may raise anything
            return Answer(Outcome.TRANSIENT, error=type(error).__name__)
        return Answer(Outcome.DELIVERED) if went_well else Answer(Outcome.TRANSIENT, error="Apprise could not send it")

    def close(self) -> None:
        """Lets the threads end; waits for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _opened(channel: Channel, notifier: Callable[[], Notifier]) -> Notifier:
    made = notifier()
    if not made.add(channel.address):
        raise ChannelRefused(f"Apprise can't read the {channel.scheme}:// address: see its page on {channel.scheme}")
    return made


def message_of(document: Mapping[str, Any], webhook_id: str) -> tuple[str, str]:
    """Title and text for people: the type, then the plain fields of the fact, a line each, and the message's id."""
    plain = [(name, value) for name, value in document["data"].items() if isinstance(value, str | int) and value != ""]
    lines = [f"{printable(name, 60)}: {printable(str(value), _LONGEST_LINE)}" for name, value in plain]
    return f"filplus: {document['type']}", "\n".join([*lines, f"at: {document['timestamp']}", f"message: {webhook_id}"])
