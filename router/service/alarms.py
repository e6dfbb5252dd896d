"""Alarms on answers: a platform's clock on our answer is nearly over, and somebody is told once."""

from collections.abc import Iterator
from datetime import datetime

from router.domain.conversation import Conversation, responsible
from router.domain.events import Happened
from router.domain.policy import ShopPolicy
from router.service.records import ANSWER_DUE, Alert
from router.service.unit import Unit


def nearly_due(unit: Unit, *, policy: ShopPolicy, at: datetime) -> Iterator[Conversation]:
    """Yield who waits on a channel with a clock of its own that is nearly over.

    The clock is that of `answer_within` in routing.toml, counted in the queue's hours, from the
    first word that nobody has answered.
    """
    routing = policy.routing
    for channel, within in routing.answer_within.items():
        left = max(within - routing.alarm_before, within * 0)
        for held in unit.conversations.unanswered(channel, before=at - left):
            hours = policy.queue(held.queue).hours
            if held.waiting_since is not None and hours.after(held.waiting_since, left) <= at:
                yield held


def raise_alarms(unit: Unit, *, policy: ShopPolicy, at: datetime) -> int:
    """Tell whoever holds each of them, or every supervisor if nobody does; return how many."""
    count = 0
    for held in tuple(nearly_due(unit, policy=policy, at=at)):
        agent, queue = responsible(held.state), policy.queue(held.queue)
        due = queue.hours.after(
            held.waiting_since or at, policy.routing.answer_within[held.channel]
        )
        facts = {"channel": held.channel, "due_at": due.isoformat()}
        unit.journal.alert(
            Alert(
                id=unit.new_id(),
                at=at,
                agent=agent,
                kind=ANSWER_DUE,
                conversation=held.id,
                case=None,
                facts=facts,
                seen_at=None,
            )
        )
        unit.record(
            Happened(
                kind="alert_raised",
                contact=held.contact,
                conversation=held.id,
                agent=agent,
                facts={"alert": ANSWER_DUE, **facts},
            ),
            at=at,
        )
        count += 1
    return count
