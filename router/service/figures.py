"""Figures from what was recorded; `tally` and `measure` in the domain compute them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from router.domain.case import due
from router.domain.ids import ChannelName, ConversationId
from router.domain.matter import SILENT, Matter
from router.domain.measure import Visit, first_contact_resolution
from router.domain.policy import ShopPolicy
from router.domain.reading import EntityKind
from router.domain.tally import Contacted, Tally, grouped
from router.service.records import Ended
from router.service.unit import Unit

#: Conversations with one of these outcomes were none: nobody had a matter.
_NO_VISIT = frozenset({"fact", "spam", "confirmed"})
#: With one of these and no answer of ours, none was owed.
_NO_ANSWER_OWED = frozenset({"call", "closed_by_supervisor"})
_MOST_CASES = 100_000

#: What figures can be grouped by.
GROUPS: Mapping[str, Callable[[Contacted], str]] = MappingProxyType(
    {
        "day": lambda each: each.day,
        "channel": lambda each: each.channel,
        "queue": lambda each: each.queue,
        "topic": lambda each: each.matter.topic,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of the conversations that closed in a time, and of the complaints opened in it.

    ``rows`` are groups by name. Of ``cases`` whose first due time is over or that were acknowledged
    before it, ``acknowledged`` is the share that was acknowledged in time; None without any.
    """

    since: datetime
    until: datetime
    total: Tally
    rows: tuple[tuple[str, Tally], ...]
    cases: int
    acknowledged: float | None


def figures(
    unit: Unit, *, since: datetime, until: datetime, policy: ShopPolicy, by: str
) -> Figures:
    """Return the figures of a time up to ``until``, which is now, grouped by one of `GROUPS`."""
    ended = visits(unit.conversations.ended_between(since, until))
    matters = _matters(unit, [each.conversation for each in ended])
    complained = unit.cases.linked_to([each.conversation for each in ended])
    over = [
        _contacted(
            each,
            matters.get(each.conversation, _NOTHING),
            complained=each.conversation in complained,
            policy=policy,
        )
        for each in ended
    ]
    total, rows = grouped(
        over,
        GROUPS[by],
        later=_still_open(unit, until),
        until=until,
        within=policy.reopen_within,
    )
    cases, acknowledged = _acknowledged(unit, since, until, policy)
    return Figures(
        since=since, until=until, total=total, rows=rows, cases=cases, acknowledged=acknowledged
    )


def resolved_at_first(
    unit: Unit, *, since: datetime, until: datetime, within: timedelta
) -> float | None:
    """Return the first-contact resolution of what closed in that time; None if nothing counts."""
    ended = visits(unit.conversations.ended_between(since, until))
    matters = _matters(unit, [each.conversation for each in ended])
    had = (
        *(
            Visit(
                person=each.person,
                opened_at=each.opened_at,
                closed_at=each.closed_at,
                matter=matters.get(each.conversation, _NOTHING),
            )
            for each in ended
        ),
        *_still_open(unit, until),
    )
    return first_contact_resolution(had, since=since, until=until, within=within)


_NOTHING = Matter(topic="")


def visits(ended: tuple[Ended, ...]) -> list[Ended]:
    """Return the conversations in which somebody had a matter."""
    return [each for each in ended if each.disposition not in _NO_VISIT]


def _still_open(unit: Unit, until: datetime) -> tuple[Visit, ...]:
    held = unit.conversations.open()
    matters = _matters(unit, [each.id for each in held])
    persons = unit.contacts.lines({each.contact for each in held})
    return tuple(
        Visit(
            person=persons[each.contact].root,
            opened_at=each.opened_at,
            closed_at=until,
            matter=matters.get(each.id, _NOTHING),
        )
        for each in held
    )


def _contacted(each: Ended, matter: Matter, *, complained: bool, policy: ShopPolicy) -> Contacted:
    target = policy.answer_within(each.queue, ChannelName(each.channel), complains=complained)
    first, hours = each.first_answer_at, policy.queue(each.queue).hours
    return Contacted(
        person=each.person,
        opened_at=each.opened_at,
        closed_at=each.closed_at,
        matter=matter,
        waited=None if first is None else hours.between(each.opened_at, first),
        target=target,
        counts=first is not None or each.disposition not in _NO_ANSWER_OWED,
        complained=complained,
        channel=each.channel,
        queue=each.queue,
        day=each.opened_at.astimezone(policy.hours.zone).date().isoformat(),
    )


def _matters(
    unit: Unit, conversations: Collection[ConversationId]
) -> Mapping[ConversationId, Matter]:
    """Return what each conversation was about: its last telling topic and every order named."""
    found = {}
    for name, readings in unit.conversations.readings_in(conversations).items():
        topics = [each.intent.value for each in readings if each.intent.value not in SILENT]
        orders = frozenset(
            entity.value
            for each in readings
            for entity in each.entities
            if entity.kind is EntityKind.ORDER
        )
        found[name] = Matter(topic=topics[-1] if topics else "", orders=orders)
    return found


def _acknowledged(
    unit: Unit, since: datetime, until: datetime, policy: ShopPolicy
) -> tuple[int, float | None]:
    """Return how many cases were opened, and the share that was acknowledged in time."""
    opened = unit.cases.opened_between(since, until, limit=_MOST_CASES)
    judged = []
    for case in opened:
        until_then = due(policy.clocks, severity=case.severity, level=0, at=case.opened_at)
        if case.acknowledged_at is not None:
            judged.append(case.acknowledged_at <= until_then)
        elif until_then <= until:
            judged.append(False)
    return len(opened), sum(judged) / len(judged) if judged else None
