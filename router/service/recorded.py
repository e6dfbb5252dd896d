"""Reading a recorded day from the event log: waits, answers, and who was there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from router.domain.conversation import Conversation
from router.domain.events import Logged
from router.domain.ids import AccountName, AgentId, ConversationId
from router.domain.policy import ShopPolicy
from router.domain.recorded import Hold, RecordedDay, Shift, Wait, work_alone
from router.domain.workforce import Presence
from router.service.unit import Unit

#: Answers that began on the day are followed for so long after it.
_AFTER = timedelta(hours=6)
#: Presence is looked for so long before the day.
_BEFORE = timedelta(hours=18)
_PAGE = 1000
_QUEUES = frozenset({"handed_to_human", "conversation_queued"})
_TAKES = frozenset({"offer_accepted", "conversation_taken"})


@dataclass(slots=True)
class _Open:
    """A wait that has begun."""

    at: datetime
    excluded: AgentId | None = None
    answered_at: datetime | None = None
    by: AgentId | None = None
    ended_at: datetime | None = None
    left_at: datetime | None = None
    transferred: bool = False


@dataclass(slots=True)
class _Course:
    """What happened to the conversations, in the order of the log."""

    waits: dict[ConversationId, list[_Open]] = field(default_factory=lambda: defaultdict(list))

    def last(self, conversation: ConversationId) -> _Open | None:
        held = self.waits.get(conversation)
        return held[-1] if held else None

    def take(self, conversation: ConversationId, logged: Logged) -> None:
        event, at = logged.event, logged.at
        last = self.last(conversation)
        waiting = last is not None and last.answered_at is None and last.left_at is None
        if event.kind == "conversation_opened" or event.kind in _QUEUES:
            if not waiting:
                self._end(last, at)
                self.waits[conversation].append(_Open(at=at))
        elif event.kind == "handed_to_bot" and waiting:
            self.waits[conversation].pop()
        elif event.kind in _TAKES:
            self._taken(conversation, last, event.agent, at)
        elif event.kind == "conversation_transferred":
            self._transferred(conversation, last, logged)
        elif event.kind in {"conversation_parked", "conversation_closed"}:
            if waiting and last is not None:
                last.left_at = at
            self._end(last, at)

    def _taken(
        self, conversation: ConversationId, last: _Open | None, agent: AgentId | None, at: datetime
    ) -> None:
        if last is None or last.ended_at is not None:
            last = _Open(at=at)
            self.waits[conversation].append(last)
        if last.answered_at is None:
            last.answered_at, last.by = at, agent

    def _transferred(
        self, conversation: ConversationId, last: _Open | None, logged: Logged
    ) -> None:
        facts = logged.event.facts or {}
        if last is not None:
            last.transferred = True
        self._end(last, logged.at)
        begun = _Open(at=logged.at, excluded=last.by if last is not None else None)
        if "to" not in facts:  # to a colleague, who has it at once
            begun.answered_at, begun.by = logged.at, logged.event.agent
        self.waits[conversation].append(begun)

    @staticmethod
    def _end(last: _Open | None, at: datetime) -> None:
        if last is not None and last.answered_at is not None and last.ended_at is None:
            last.ended_at = at


def recorded_day(
    unit: Unit, day: date, *, policy: ShopPolicy, families: Mapping[AccountName, str]
) -> RecordedDay:
    """Return a local day of the shop as it was recorded."""
    zone = policy.hours.zone
    begins = datetime.combine(day, time.min, zone).astimezone(UTC)
    ends = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    course, spans = _Course(), _Spans(begins=begins, ends=ends)
    for logged in _between(unit, begins - _BEFORE, ends + _AFTER):
        spans.take(logged)
        name = logged.event.conversation
        if name is not None and logged.at >= begins:
            course.take(name, logged)
    found = _waits(unit, course, begins, ends, policy=policy, families=families)
    agents = unit.workforce.all()
    return RecordedDay(
        day=day,
        begins=begins,
        ends=ends,
        waits=tuple(sorted(found, key=lambda each: (each.at, each.conversation))),
        shifts=tuple(
            Shift(agent=each, spans=spans.of(each.id)) for each in agents if spans.of(each.id)
        ),
    )


class _Spans:
    """From when to when agents took work, within the day."""

    def __init__(self, *, begins: datetime, ends: datetime) -> None:
        self._begins, self._ends = begins, ends
        self._since: dict[AgentId, datetime] = {}
        self._spans: dict[AgentId, list[tuple[datetime, datetime]]] = defaultdict(list)

    def take(self, logged: Logged) -> None:
        """Note a change of presence."""
        event = logged.event
        if event.kind != "presence_changed" or event.agent is None:
            return
        came = (event.facts or {}).get("presence") == Presence.AVAILABLE
        since = self._since.pop(event.agent, None)
        if since is not None:
            self._close(event.agent, since, logged.at)
        if came:
            self._since[event.agent] = logged.at

    def _close(self, agent: AgentId, since: datetime, until: datetime) -> None:
        begin, end = max(since, self._begins), min(until, self._ends)
        if begin < end:
            self._spans[agent].append((begin, end))

    def of(self, agent: AgentId) -> tuple[tuple[datetime, datetime], ...]:
        """Return an agent's spans; one that is still open ends with the day."""
        since = self._since.pop(agent, None)
        if since is not None:
            self._close(agent, since, self._ends)
        return tuple(self._spans[agent])


def _between(unit: Unit, since: datetime, until: datetime) -> Iterator[Logged]:
    """Yield the events of a time, in the order of the log."""
    seq = _place(unit, since)
    while page := unit.journal.events_since(seq, limit=_PAGE):
        for each in page:
            if each.at > until:
                return
            yield each
        seq = page[-1].seq


def _place(unit: Unit, since: datetime) -> int:
    """Return a number in the log after which everything since ``since`` stands (by halving)."""
    low, high = 0, unit.journal.seq()
    while low < high:
        middle = (low + high) // 2
        after = unit.journal.events_since(middle, limit=1)
        if after and after[0].at < since:
            low = after[0].seq
        else:
            high = middle
    return max(0, low - 1)


def _waits(
    unit: Unit,
    course: _Course,
    begins: datetime,
    ends: datetime,
    *,
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> Iterator[Wait]:
    work = _work(course, until=ends + _AFTER, slowdown=policy.routing.work.slowdown)
    for name, waits in course.waits.items():
        held = unit.conversations.get(name)
        members = unit.contacts.members(held.contact)
        cases = unit.cases.of(members)
        root = unit.contacts.get(members[0])
        before: AgentId | None = None
        for number, each in enumerate(waits):
            if not begins <= each.at < ends or _no_wait(each, held):
                continue
            severity = max(
                (
                    case.severity
                    for case in cases
                    if case.opened_at <= (each.answered_at or each.left_at or ends)
                    and (case.resolved_at is None or case.resolved_at > each.at)
                ),
                default=0,
            )
            yield Wait(
                conversation=ConversationId(f"{name}.{number}"),
                queue=held.queue,
                channel=held.channel,
                family=families.get(held.account, "im"),
                language=held.language,
                needs=held.needs,
                at=each.at,
                priority=held.priority,
                vip=root.vip,
                upset=held.flagged,
                severity=severity,
                previous=before,
                excluded=each.excluded,
                answered=None if each.answered_at is None else each.answered_at - each.at,
                by=each.by,
                left=None if each.left_at is None else each.left_at - each.at,
                work=work.get((name, number)),
                transferred=each.transferred,
            )
            before = each.by or before


def _no_wait(each: _Open, held: Conversation) -> bool:
    """Return whether nobody waited: a fact that was noted and closed at once."""
    return each.left_at == each.at and held.closed_at == each.at


def _work(
    course: _Course, *, until: datetime, slowdown: float
) -> Mapping[tuple[ConversationId, int], timedelta]:
    holds: dict[AgentId, list[Hold]] = defaultdict(list)
    names: dict[ConversationId, tuple[ConversationId, int]] = {}
    for conversation, waits in course.waits.items():
        for number, each in enumerate(waits):
            if each.answered_at is None or each.by is None:
                continue
            name = ConversationId(f"{conversation}.{number}")
            names[name] = (conversation, number)
            end = max(each.answered_at, each.ended_at or until)
            holds[each.by].append(Hold(conversation=name, begins=each.answered_at, ends=end))
    found: dict[tuple[ConversationId, int], timedelta] = {}
    for held in holds.values():
        for name, took in work_alone(held, slowdown=slowdown).items():
            found[names[name]] = took
    return found
