"""The HTTP layer's metrics, by route template, so that their number stays small whatever is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class HttpMetrics:
    """Counts and times answers in the given registry. A registry takes one of these."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self._requests = Counter("filplus_http_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram(
            "filplus_http_request_duration_seconds", "Time to the answer.", labels, buckets=_SECONDS, registry=registry
        )
        self._problems = Counter("filplus_http_problems", "Problems answered.", ("code",), registry=registry)
        self._cut = Counter(
            "filplus_http_connections_cut", "Connections ended unanswered.", ("why",), registry=registry
        )
        for why in ("slow", "crowded"):
            self._cut.labels(why)
        self._streams = Gauge("filplus_http_event_streams", "Streams of events that are open.", registry=registry)
        self._dropped = Counter(
            "filplus_http_event_streams_dropped", "Streams cut off: their clients read too slowly.", registry=registry
        )
        self.in_flight = Gauge("filplus_http_requests_in_flight", "Requests being answered.", registry=registry)

    def answered(self, request: web.Request, status: int, seconds: float) -> None:
        """Counts one answer."""
        method = request.method if request.method in _METHODS else "OTHER"
        labels = (method, route_of(request), str(status))
        self._requests.labels(*labels).inc()
        self._seconds.labels(*labels).observe(seconds)

    def refused(self, code: str) -> None:
        """Counts one problem."""
        self._problems.labels(code).inc()

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Counts one stream of events as open, as long as the context lasts."""
        with self._streams.track_inprogress():
            yield

    def stream_dropped(self) -> None:
        """Counts one stream whose client read too slowly."""
        self._dropped.inc()

    def connection_cut(self, why: str) -> None:
        """Counts one connection that was ended before its first headers were whole: `slow` or `crowded`."""
        self._cut.labels(why).inc()


def route_of(request: web.Request) -> str:
    """The template of the route that the request matched, `/cid/{cid}`; `unmatched` for none."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical
