"""After a conversation the contact is asked how it was, where the shop wants it; and the answer."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from router.channel.contract import Capabilities
from router.domain.conversation import Conversation
from router.domain.events import Happened
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.domain.rating import (
    ANSWER_WITHIN,
    ASK_WITHIN,
    REST,
    Rating,
    RatingState,
    answered,
    pressed,
    question,
)
from router.domain.timeline import Direction, Interaction
from router.service.lone import close_if_alone
from router.service.reply import announce
from router.service.room import reply_room
from router.service.unit import Unit

#: How far back ends of conversations are looked for, and how often one is tried to be asked of.
_LOOK_BACK: Final = timedelta(minutes=30)
_LOOK_AGAIN: Final = timedelta(minutes=5)
RATED: Final = "rated"
#: Ends after which nobody is asked: nothing was said, or nobody was there.
_NOT_ASKED: Final = frozenset({"spam", "no_reply", "answered_by_bot", "confirmed", RATED})


def unplanned(unit: Unit, *, policy: ShopPolicy, at: datetime) -> tuple[Conversation, ...]:
    """Return the conversations that ended lately and after which a rating is to be asked for."""
    if policy.knowledge.ask_rating == "never":
        return ()
    ended = [
        each
        for each in unit.conversations.closed_between(at - _LOOK_BACK, at)
        if each.first_answer_at is not None
        and each.last_in_at is not None
        and not each.public
        and each.disposition not in _NOT_ASKED
    ]
    if ended and policy.knowledge.ask_rating == "trials":
        uses = unit.scripts.uses_in([each.id for each in ended])
        tried = {use.conversation for use in uses if use.trial is not None}
        ended = [each for each in ended if each.id in tried]
    known = {each.conversation for each in unit.ratings.about([each.id for each in ended])}
    return tuple(each for each in ended if each.id not in known)


def any_to_do(unit: Unit, *, policy: ShopPolicy, at: datetime) -> bool:
    """Return whether `ask_due` has something to do; it only reads."""
    return bool(unit.ratings.due(at, limit=1) or unplanned(unit, policy=policy, at=at))


def ask_due(
    unit: Unit,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> int:
    """Ask wherever it can be asked now, and give up what was not answered; return how many asked.

    Nobody is asked while they are talked with, over an open complaint, or twice within a week.
    """
    for held in unplanned(unit, policy=policy, at=at):
        unit.ratings.add(
            Rating(
                id=unit.new_id(),
                conversation=held.id,
                contact=held.contact,
                state=RatingState.DUE,
                since=at,
                next_at=at,
            )
        )
    asked = 0
    for each in unit.ratings.due(at):
        members = unit.contacts.members(each.contact)
        lately = [
            other
            for other in unit.ratings.of(members)
            if other.id != each.id and other.asked_at is not None and other.asked_at + REST > at
        ]
        if each.state is RatingState.ASKED or lately or each.since + ASK_WITHIN <= at:
            unit.ratings.save(replace(each, state=RatingState.OVER, settled_at=at))
            continue
        held = unit.conversations.get(each.conversation)
        able = capabilities.get(held.account)
        busy = unit.cases.open_of(members) or unit.conversations.of(members, open_only=True)
        open_ = able is not None and reply_room(unit, held, capabilities=able, at=at).allowed
        if busy or able is None or not open_:
            unit.ratings.save(replace(each, next_at=at + _LOOK_AGAIN))
            continue
        _ask(unit, each, held, policy=policy, able=able, at=at)
        asked += 1
    return asked


def _ask(
    unit: Unit,
    rating: Rating,
    held: Conversation,
    *,
    policy: ShopPolicy,
    able: Capabilities,
    at: datetime,
) -> None:
    said = announce(
        unit,
        conversation=held.id,
        content=question(rating.id, held.language),
        name=policy.shop.get("en" if held.language == "en" else "zh", ""),
        capabilities=able,
        at=at,
        key=f"rating:{rating.id}",
    )
    unit.ratings.save(
        replace(
            rating,
            state=RatingState.ASKED,
            question=said.interaction.id,
            asked_at=at,
            next_at=at + ANSWER_WITHIN,
        )
    )
    unit.record(Happened(kind="rating_asked", contact=held.contact, conversation=held.id), at=at)


def hear(unit: Unit, said: Interaction, *, at: datetime) -> None:
    """Read the contact's word as a rating, if one was asked for; anything else changes nothing.

    A button is an answer wherever it is pressed; a number is one only where it was asked for, and
    if nothing else was asked there.
    """
    if said.direction is not Direction.IN or said.recalled_at is not None:
        return
    members = unit.contacts.members(said.contact)
    for each in unit.ratings.of(members):
        if each.state is not RatingState.ASKED:
            continue
        score = pressed(said.content, each.id)
        if score is None and not unit.follow_ups.waiting(members):
            asked = unit.conversations.get(each.conversation)
            here = unit.conversations.get(said.conversation)
            if (asked.account, asked.external_id) == (here.account, here.external_id):
                score = answered(said.content)
        if score is not None:
            unit.ratings.save(replace(each, state=RatingState.GIVEN, score=score, settled_at=at))
            facts = {"score": score, "rated": each.conversation, "interaction": said.id}
            unit.record(
                Happened(
                    kind="rating_given",
                    contact=said.contact,
                    conversation=said.conversation,
                    facts=facts,
                ),
                at=at,
            )
            close_if_alone(unit, said, disposition=RATED, at=at)
            return
