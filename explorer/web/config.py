"""What the HTTP layer must be told: addresses, limits, clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from explorer.web.buckets import Rate
from explorer.web.doorway import connections_allowed


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every public limit, as `GET /config` states it. A body has less time to come than an answer may take.

    `key_rate` is that of one key, `session_rate` that of one notary over all open pages, which renew themselves as
    reviews change; `stranger_rate` that of wrong credentials from one address.
    Streams take at most half of the connections that may be open, so that they never keep others out.
    """

    cids_per_request: int = 10_000
    body_bytes: int = 4 * 1024 * 1024
    page_size: int = 100
    page_size_max: int = 500
    request_line_bytes: int = 16 * 1024
    header_bytes: int = 16 * 1024
    body_timeout_s: float = 20.0
    answer_timeout_s: float = 30.0
    key_rate: Rate = field(default_factory=lambda: Rate(burst=100, per_minute=60))
    session_rate: Rate = field(default_factory=lambda: Rate(burst=300, per_minute=300))
    stranger_rate: Rate = field(default_factory=lambda: Rate(burst=30, per_minute=30))
    downloads: int = 8
    event_streams: int = field(default_factory=lambda: connections_allowed() // 2)
    event_heartbeat_s: float = 15.0
    event_write_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """What one service answers as.

    `public_url` has no slash at its end. `example_cids` are offered on the first page; when empty, those of the index's
    status are. `registry` holds the metrics that `/metrics` prints: one per application.
    """

    network: str
    public_url: str
    version: str
    commit: str | None = None
    example_cids: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    now: Callable[[], datetime] = utc_now

    @property
    def simulated(self) -> bool:
        """Whether the network is invented, which every page says."""
        return self.network == "simulated"
