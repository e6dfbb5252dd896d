"""Figures from what was recorded; `router.domain.measure` computes them."""

from datetime import datetime, timedelta

from router.domain.conversation import Conversation
from router.domain.matter import SILENT, Matter
from router.domain.measure import Visit, first_contact_resolution
from router.domain.reading import EntityKind
from router.domain.timeline import Direction
from router.service.unit import Unit

#: Conversations with one of these outcomes were none: nobody had a matter.
_NO_VISIT = frozenset({"fact", "spam", "confirmed"})


def resolved_at_first(
    unit: Unit, *, since: datetime, until: datetime, within: timedelta
) -> float | None:
    """Return the first-contact resolution of what closed in that time; None if nothing counts."""
    closed = unit.conversations.closed_between(since, until)
    open_now = unit.conversations.open()
    visits = tuple(
        _visit(unit, each, until=until)
        for each in (*closed, *open_now)
        if each.disposition not in _NO_VISIT
    )
    return first_contact_resolution(visits, since=since, until=until, within=within)


def _visit(unit: Unit, held: Conversation, *, until: datetime) -> Visit:
    return Visit(
        person=unit.contacts.get(held.contact).root,
        opened_at=held.opened_at,
        closed_at=held.closed_at or until,
        matter=matter_of(unit, held),
    )


def matter_of(unit: Unit, held: Conversation) -> Matter:
    """Return what a conversation was about: its last telling topic and every order named."""
    topic, orders = "", set()
    for said in unit.conversations.said_in(held.id, limit=50):
        if said.direction is Direction.IN and said.reading is not None:
            if said.reading.intent.value not in SILENT:
                topic = said.reading.intent.value
            orders |= {
                each.value for each in said.reading.entities if each.kind is EntityKind.ORDER
            }
    return Matter(topic=topic, orders=frozenset(orders))
