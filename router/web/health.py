"""Whether the daemon is alive and ready, and what Prometheus is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from router.domain.conversation import Queued
from router.domain.ids import AccountName
from router.service.carry import LEASE
from router.service.ports import StoreUnavailable
from router.service.unit import Unit
from router.web.deps import DEPS, Deps, ReaderState
from router.web.sockets import SOCKETS

log = structlog.get_logger()
routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What stands in the tables now, in one read."""

    waiting: Mapping[str, int]
    longest: Mapping[str, float]  # seconds
    states: Mapping[str, int]
    unread: int
    cases: Mapping[int, int]
    overdue: int
    outbox: Mapping[str, int]
    ignored: Mapping[tuple[AccountName, str], int]
    events: int


def figures(unit: Unit, *, at: datetime) -> Figures:
    """Count what a monitor watches."""
    waiting: dict[str, int] = {}
    longest: dict[str, float] = {}
    states: dict[str, int] = {}
    unread = 0
    for held in unit.conversations.open():
        name = type(held.state).__name__
        states[name] = states.get(name, 0) + 1
        unread += held.unread
        if isinstance(held.state, Queued):
            waiting[held.queue] = waiting.get(held.queue, 0) + 1
            waited = (at - held.state.since).total_seconds()
            longest[held.queue] = max(waited, longest.get(held.queue, 0.0))
    cases: dict[int, int] = {}
    overdue = 0
    for case in unit.cases.all_open(limit=10_000):
        cases[case.severity] = cases.get(case.severity, 0) + 1
        overdue += case.due_at is not None and case.due_at < at
    return Figures(
        waiting=waiting,
        longest=longest,
        states=states,
        unread=unread,
        cases=cases,
        overdue=overdue,
        outbox=unit.outbox.counts(),
        ignored=unit.journal.counts(),
        events=unit.journal.seq(),
    )


@routes.get("/healthz")
async def alive(_request: web.Request) -> web.Response:
    """Say that the daemon answers."""
    return web.Response(text="ok\n")


@routes.get("/readyz")
async def ready(request: web.Request) -> web.Response:
    """Say whether deliveries can be taken: database, dispatcher, backlog, and the daemon's own.

    ``warnings`` are what the daemon goes on with, but worse than it should.
    """
    deps = request.app[DEPS]
    wrong = await troubles(deps)
    warnings = deps.readers.warnings()
    body = msgspec.json.encode({"ready": not wrong, "wrong": wrong, "warnings": warnings})
    status = 503 if wrong else 200
    return web.Response(body=body, content_type="application/json", status=status)


async def troubles(deps: Deps) -> dict[str, str]:
    """Return what keeps the daemon from being ready, by name."""
    wrong: dict[str, str] = {}
    try:
        routed = await deps.store.read(is_routed, at=deps.clock.now())
        if not routed:
            wrong["dispatcher"] = "nobody routes: no daemon holds the lease"
    except StoreUnavailable as error:
        wrong["database"] = str(error)
    if deps.intake.is_crowded:
        wrong["intake"] = f"{deps.intake.backlog} deliveries wait"
    for name, check in deps.health.items():
        said = await check()
        if said is not None:
            wrong[name] = said
    return wrong


def is_routed(unit: Unit, *, at: datetime) -> bool:
    """Say whether some daemon holds the dispatcher's lease."""
    lease = unit.journal.leased(LEASE)
    return lease is not None and lease.until > at


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Say everything that Prometheus wants to know."""
    deps = request.app[DEPS]
    now = CollectorRegistry()
    try:
        read = await deps.store.read(figures, at=deps.clock.now())
    except StoreUnavailable:
        log.warning("figures_not_read")
    else:
        now.register(_Gauges(read))
    now.register(_Moment(deps.intake.backlog, len(request.app[SOCKETS])))
    now.register(_Readers(deps.readers))
    body = generate_latest(deps.metrics.registry) + generate_latest(now)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Gauges(Collector):
    """The figures as Prometheus knows them."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        read = self._figures
        yield _gauge("mainstem_waiting", "Conversations in line", ("queue",), read.waiting)
        yield _gauge(
            "mainstem_longest_wait_seconds", "The longest wait in line", ("queue",), read.longest
        )
        yield _gauge(
            "mainstem_conversations", "Open conversations by state", ("state",), read.states
        )
        cases = {str(severity): count for severity, count in read.cases.items()}
        yield _gauge("mainstem_cases_open", "Open complaints", ("severity",), cases)
        yield _gauge("mainstem_outbox", "Answers by state", ("state",), read.outbox)
        ignored = GaugeMetricFamily(
            "mainstem_ignored_events", "Events that nobody used", labels=("account", "kind")
        )
        for (account, kind), count in read.ignored.items():
            ignored.add_metric((account, kind), count)
        yield ignored
        for name, text, value in (
            ("mainstem_cases_overdue", "Complaints past their time", read.overdue),
            ("mainstem_unread", "Interactions that no reader has seen", read.unread),
            ("mainstem_event_seq", "The number of the last event", read.events),
        ):
            yield GaugeMetricFamily(name, text, value=value)


class _Readers(Collector):
    """How the readers of messages are."""

    def __init__(self, state: ReaderState) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        yield _gauge(
            "mainstem_readers", "Processes that read messages", ("reader",), self._state.readers
        )
        warnings = dict.fromkeys(self._state.warnings(), 1)
        yield _gauge("mainstem_reader_warnings", "What readers lack", ("warning",), warnings)
        text = "How often a reader process had to be started again"
        yield CounterMetricFamily("mainstem_reader_restarts", text, value=self._state.restarts)


class _Moment(Collector):
    """What stands in memory."""

    def __init__(self, backlog: int, sockets: int) -> None:
        self._backlog, self._sockets = backlog, sockets

    def collect(self) -> Iterator[Metric]:
        text = "Deliveries that wait for the next transaction"
        yield GaugeMetricFamily("mainstem_intake_backlog", text, value=self._backlog)
        yield GaugeMetricFamily("mainstem_chat_sockets", "Open sockets", value=self._sockets)


def _gauge(
    name: str, text: str, labels: tuple[str], values: Mapping[str, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label, value in values.items():
        family.add_metric((label,), value)
    return family
