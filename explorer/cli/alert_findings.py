"""What `filplus check` finds of alerts: the webhooks, and the channels of the settings."""

from collections import Counter
from collections.abc import AsyncIterator

import asyncpg

from explorer.alerts.channels import channel_faults, parse_channels
from explorer.alerts.endpoints import list_endpoints
from explorer.alerts.errors import ChannelRefused
from explorer.cli.findings import Finding
from explorer.ground.settings import Settings

_WELL = ("up", "failing")


async def webhook_finding(connection: asyncpg.Connection) -> Finding:
    """How the webhooks and channels stand that the database knows."""
    rows = await list_endpoints(connection)
    if not rows:
        return Finding("webhooks", "note", "nobody is told of reviews", "filplus webhook add URL")
    states = Counter(row.state for row in rows)
    fact = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    waiting, dead = sum(row.pending for row in rows), sum(row.dead for row in rows)
    if dead or any(state not in _WELL for state in states):
        return Finding("webhooks", "note", f"{fact}; {waiting} waiting, {dead} dead", "filplus webhook list")
    return Finding("webhooks", "ok", fact)


async def channel_findings(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the channels of the settings, where there are any, can be told."""
    if not settings.notify_urls:
        return
    try:
        channels = parse_channels(settings.notify_urls)
    except ChannelRefused as error:
        yield Finding("channels", "fails", str(error), "mend the setting; filplus serve doesn't start with it")
        return
    faults = await channel_faults(channels)
    for fault in faults:
        yield Finding("channels", "fails", fault, "alerts for channels wait until then")
    if not faults:
        yield Finding("channels", "ok", ", ".join(f"{channel.scheme}://" for channel in channels))
