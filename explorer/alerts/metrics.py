"""What is measured of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge

from explorer.alerts.outbox import Figures
from explorer.alerts.schedule import Outcome


@dataclass(frozen=True, slots=True)
class AlertMetrics:
    """The figures of one delivering process. A registry takes one of these."""

    attempts: Counter
    failures: Counter
    lost_leases: Counter
    oldest: Gauge
    waiting: Gauge
    dead: Gauge
    down: Gauge

    @classmethod
    def registered(cls, registry: CollectorRegistry) -> "AlertMetrics":
        """Makes the metrics in a registry."""
        by_endpoint = ["endpoint"]
        return cls(
            Counter("filplus_alerts_attempts", "Attempts at delivering.", ["outcome"], registry=registry),
            Counter("filplus_alerts_failures", "Attempts that failed.", by_endpoint, registry=registry),
            Counter("filplus_alerts_leases_lost", "Attempts that took longer than their lease.", registry=registry),
            Gauge("filplus_alerts_oldest_seconds", "Age of the oldest that waits.", by_endpoint, registry=registry),
            Gauge("filplus_alerts_waiting", "Deliveries that wait.", by_endpoint, registry=registry),
            Gauge("filplus_alerts_dead", "Dead letters.", by_endpoint, registry=registry),
            Gauge("filplus_alerts_endpoint_down", "1: down or disabled.", by_endpoint, registry=registry),
        )

    def tried(self, endpoint_id: str, outcome: Outcome) -> None:
        """Counts one attempt."""
        self.attempts.labels(outcome.value).inc()
        if outcome is not Outcome.DELIVERED:
            self.failures.labels(endpoint_id).inc()

    def show(self, figures: Sequence[Figures]) -> None:
        """Shows how the endpoints stand; one that is gone has no figure any more."""
        for gauge in (self.oldest, self.waiting, self.dead, self.down):
            gauge.clear()
        for one in figures:
            self.oldest.labels(one.endpoint_id).set(one.age_s)
            self.waiting.labels(one.endpoint_id).set(one.pending)
            self.dead.labels(one.endpoint_id).set(one.dead)
            self.down.labels(one.endpoint_id).set(one.is_down or one.is_disabled)
