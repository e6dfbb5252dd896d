"""What Prometheus is told: counters that the web room keeps, in a registry of their own.

Gauges of what stands in the tables are read at the scrape, see `router.web.health`.
"""

from collections import Counter as Counts
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram

from router.domain.events import Logged

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters and durations of one daemon."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "mainstem_deliveries",
            "Deliveries by account and what became of them",
            ("account", "outcome"),
            registry=self.registry,
        )
        self.requests = Histogram(
            "mainstem_request_seconds",
            "Time to answer a request, by route",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.events = Counter(
            "mainstem_events",
            "Domain events by kind: interactions, offers, readings, cases and the rest",
            ("kind",),
            registry=self.registry,
        )
        self.commit_size = Histogram(
            "mainstem_commit_events",
            "How many events were logged by one transaction",
            buckets=_SIZES,
            registry=self.registry,
        )
        self.frames = Counter(
            "mainstem_chat_frames",
            "Frames of web chat by direction",
            ("direction",),
            registry=self.registry,
        )

    def notice(self, events: Sequence[Logged]) -> None:
        """Count what a commit logged."""
        self.commit_size.observe(len(events))
        kinds = Counts(logged.event.kind for logged in events)
        for kind, many in kinds.items():
            self.events.labels(kind=kind).inc(many)
