"""Chat and mail, by the optional package Apprise: Slack, Discord, Matrix and e-mail.

A channel is an endpoint like others, with retries, order and dead letters; its address stands only in the settings.
Apprise resolves and connects by itself, where the guard of addresses doesn't see it. So only the operator names
channels, only of the schemes below, and each message goes through a process of its own, which is killed when it hangs.
Not covered: signatures; repeated messages, which a chat can't tell by their id; transient and permanent, since Apprise
says yes or no.
"""

import asyncio
import hashlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from explorer.alerts.errors import ChannelRefused
from explorer.alerts.letters import Answer, Letter
from explorer.alerts.schedule import Outcome
from explorer.alerts.sending import printable

SCHEMES: Final = frozenset({"slack", "discord", "matrixs", "mailtos"})
"""Over TLS only, and none by which any host could be called."""
SETTING: Final = "FILPLUS_NOTIFY_URLS"
TIMEOUT_S: Final = 30.0
PROCESSES: Final = 4
NOT_INSTALLED: Final = "chat and mail need Apprise, which is not installed: pip install 'filplus-explorer[alerts]'"

_COMMAND: Final = (sys.executable, "-P", "-m", "explorer.alerts.notifier")
_PRIVATE_PREFIXES: Final = ("FILPLUS_", "PG")
_LONGEST_LINE: Final = 300
_JOINER: Final = "\u2060"


@dataclass(frozen=True, slots=True)
class Channel:
    """A chat or an address for mail. The id is made of the whole address, so that another one is another endpoint."""

    id: str
    scheme: str
    address: str = field(repr=False)


def parse_channels(addresses: Iterable[str]) -> tuple[Channel, ...]:
    """The channels of the setting, each once. ChannelRefused, which shows no more of an address than its scheme."""
    return tuple(dict.fromkeys(_parse_channel(address) for address in addresses))


def _parse_channel(text: str) -> Channel:
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        shown = printable(scheme, 20) + "://…" if separator else "an address without ://"
        allowed = ", ".join(f"{one}://" for one in sorted(SCHEMES))
        raise ChannelRefused(f"{SETTING}: {shown} is no channel: allowed are {allowed}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Channel(f"ch_{digest[:16]}", scheme.lower(), text)


async def channel_faults(channels: Sequence[Channel]) -> list[str]:
    """What keeps channels from being told, as far as it can be known without telling them; nothing: all is well."""
    if not channels:
        return []
    try:
        async with asyncio.timeout(TIMEOUT_S):
            said = await _notified({"addresses": [channel.address for channel in channels]})
    except TimeoutError:
        said = {}
    match said.get("result"):
        case "read":
            return []
        case "missing":
            return [NOT_INSTALLED]
        case "unreadable":
            return [_unreadable(channels[said["address"]].scheme)]
        case _:
            return [f"{SETTING}: Apprise failed to read it"]


def _unreadable(scheme: str) -> str:
    return f"{SETTING}: Apprise can't read the {scheme}:// address: see its page on {scheme}"


class ChannelSender:
    """Sends letters to channels, each by a process of its own, a few at a time."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        self._channels = {channel.id: channel for channel in channels}
        self._turns = asyncio.Semaphore(PROCESSES)

    async def send(self, letter: Letter) -> Answer:
        """Makes one attempt."""
        channel = self._channels.get(letter.endpoint_id)
        if channel is None:
            return Answer(Outcome.TRANSIENT, error="another process's settings name this channel")
        title, body = message_of(json.loads(letter.body), letter.webhook_id)
        try:
            async with asyncio.timeout(TIMEOUT_S), self._turns:
                said = await _notified({"addresses": [channel.address], "title": title, "body": body})
        except TimeoutError:
            return Answer(Outcome.TRANSIENT, error=f"no end within {TIMEOUT_S:g} s")
        return _answer(said.get("result"), channel)


def _answer(result: str | None, channel: Channel) -> Answer:
    match result:
        case "sent":
            return Answer(Outcome.DELIVERED)
        case "missing":
            return Answer(Outcome.TRANSIENT, error=NOT_INSTALLED)
        case "unreadable":
            return Answer(Outcome.TRANSIENT, error=_unreadable(channel.scheme))
        case _:
            return Answer(Outcome.TRANSIENT, error="Apprise could not send it")


async def _notified(task: Mapping[str, Any]) -> dict[str, Any]:
    """What the process said of its task, nothing where it broke. Cancelled, it kills the process."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_PRIVATE_PREFIXES)}
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=kept, cwd="/", start_new_session=True
    )
    try:
        said, _ = await process.communicate(json.dumps(task).encode())
        document: dict[str, Any] = json.loads(said)
    except ValueError:
        return {}
    finally:
        await _ended(process)
    return document


async def _ended(process: Process) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def message_of(document: Mapping[str, Any], webhook_id: str) -> tuple[str, str]:
    """Title and text for people: the type, then the plain fields of the fact, a line each, and the message's id."""
    plain = [(name, value) for name, value in document["data"].items() if isinstance(value, str | int) and value != ""]
    lines = [f"{printable(name, 60)}: {_unmentioning(str(value))}" for name, value in plain]
    return f"filplus: {document['type']}", "\n".join([*lines, f"at: {document['timestamp']}", f"message: {webhook_id}"])


def _unmentioning(text: str) -> str:
    """The beginning of a text, by which nobody is called: chats read @everyone and <!channel> as orders."""
    return printable(text, _LONGEST_LINE).replace("@", f"@{_JOINER}").replace("<", f"<{_JOINER}")
