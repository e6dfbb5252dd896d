"""Conversations that are nothing but an answer to a question of ours: they close by themselves."""

from dataclasses import replace
from datetime import datetime

from router.domain.conversation import Close, Queued, step
from router.domain.events import Happened
from router.domain.timeline import Direction, Interaction
from router.service.unit import Unit


def close_if_alone(unit: Unit, said: Interaction, *, disposition: str, at: datetime) -> None:
    """Close the conversation of ``said`` if that is all of it: nobody has to answer it."""
    held = unit.conversations.get(said.conversation)
    heard = [
        each.id
        for each in unit.conversations.said_in(held.id, limit=5)
        if each.direction is Direction.IN
    ]
    if not isinstance(held.state, Queued) or heard != [said.id] or held.flagged or held.wants_human:
        return
    unit.conversations.save(
        replace(
            held,
            state=step(held.state, Close(at=at)),
            closed_at=at,
            waiting_since=None,
            disposition=disposition,
        )
    )
    unit.record(
        Happened(
            kind="conversation_closed",
            contact=held.contact,
            conversation=held.id,
            facts={"disposition": disposition},
        ),
        at=at,
    )
