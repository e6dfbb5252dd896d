"""The repository of conversations; the interactions in them come from `timeline`."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from router.domain.conversation import Conversation, State, WithBot, responsible
from router.domain.ids import (
    AccountName,
    AgentId,
    ChannelName,
    ContactId,
    ConversationId,
    QueueName,
)
from router.domain.plan import Following
from router.domain.reading import CALM, Mood
from router.domain.timeline import Interaction
from router.domain.workforce import Need
from router.service.ports import Conflict
from router.service.records import ANSWER_DUE, Ended, Place
from router.store.codec import dump, dump_once, load
from router.store.dialect import insert_new
from router.store.ledger import alerts
from router.store.rows import insert, many, must_change, one, the
from router.store.sets import Found, ask_all, by_keys
from router.store.tables import agents, contacts, conversations, interactions
from router.store.timeline import SqlTimeline, as_interaction
from router.store.types import UtcDateTime

_is_open = conversations.c.closed_at.is_(None)
_oldest_first = (conversations.c.opened_at, conversations.c.id)
_newest_first = (conversations.c.opened_at.desc(), conversations.c.id.desc())

_ADD = insert_new(conversations)
_GET = sa.select(conversations).where(conversations.c.id == sa.bindparam("of"))
_SAVE = sa.update(conversations).where(
    conversations.c.id == sa.bindparam("of"), conversations.c.version == sa.bindparam("expected")
)
_LIVE = sa.select(conversations).where(
    conversations.c.account == sa.bindparam("of_account"),
    conversations.c.external_id == sa.bindparam("of_external_id"),
    conversations.c.thread == sa.bindparam("of_thread"),
    _is_open,
)
_IN_THREAD = (
    sa.select(conversations)
    .where(
        conversations.c.account == sa.bindparam("of_account"),
        conversations.c.thread == sa.bindparam("of_thread"),
    )
    .order_by(*_newest_first)
    .limit(1)
)
_OPEN = sa.select(conversations).where(_is_open).order_by(*_oldest_first)
_COUNT = sa.select(sa.func.count()).select_from(conversations)
_HELD_BY = (
    sa.select(conversations)
    .where(conversations.c.agent_id == sa.bindparam("by"))
    .order_by(*_oldest_first)
)
_OF_ALL = (
    sa.select(conversations)
    .where(conversations.c.contact_id.in_(sa.bindparam("members", expanding=True)))
    .order_by(*_newest_first)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
_OF: Mapping[bool, "sa.Select[Any]"] = {False: _OF_ALL, True: _OF_ALL.where(_is_open)}
_CLOSED_BETWEEN = (
    sa.select(conversations)
    .where(
        conversations.c.closed_at >= sa.bindparam("since"),
        conversations.c.closed_at < sa.bindparam("until"),
    )
    .order_by(conversations.c.closed_at, conversations.c.id)
)
_ENDED_BETWEEN = (
    sa.select(
        conversations.c.id,
        contacts.c.root_id,
        conversations.c.channel,
        conversations.c.queue,
        conversations.c.opened_at,
        conversations.c.closed_at,
        conversations.c.first_answer_at,
        conversations.c.disposition,
    )
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(
        conversations.c.closed_at >= sa.bindparam("since"),
        conversations.c.closed_at < sa.bindparam("until"),
    )
    .order_by(conversations.c.closed_at, conversations.c.id)
)


_SOME = by_keys(
    lambda among: (
        sa.select(conversations).where(among(conversations.c.id)).order_by(conversations.c.id)
    )
)
_PLACES = by_keys(
    lambda among: (
        sa.select(
            conversations.c.id,
            conversations.c.account,
            conversations.c.external_id,
            conversations.c.agent_id,
            agents.c.name,
        )
        .outerjoin(agents, agents.c.id == conversations.c.agent_id)
        .where(among(conversations.c.id))
    )
)
_WITH_BOT = (
    sa.select(conversations)
    .where(
        conversations.c.state == WithBot.__name__,
        _is_open,
        conversations.c.waiting_since.is_not(None),
        conversations.c.unread == 0,
    )
    .order_by(*_oldest_first)
)
_IN_STATE = (
    sa.select(conversations)
    .where(conversations.c.state.in_(sa.bindparam("states", expanding=True)), _is_open)
    .order_by(*_oldest_first)
)
_alarmed = (
    sa.select(sa.literal(1))
    .select_from(alerts)
    .where(
        alerts.c.conversation_id == conversations.c.id,
        alerts.c.kind == ANSWER_DUE,
        alerts.c.at >= conversations.c.waiting_since,
    )
    .correlate(conversations)
    .exists()
)
_UNANSWERED = (
    sa.select(conversations)
    .where(
        conversations.c.channel == sa.bindparam("of_channel"),
        conversations.c.waiting_since <= sa.bindparam("before", type_=UtcDateTime),
        _is_open,
        ~_alarmed,
    )
    .order_by(*_oldest_first)
)
_member, _asked = contacts.alias("member"), contacts.alias("asked")
_OPEN_OF_PERSONS = by_keys(
    lambda among: (
        sa.select(conversations.c.id)
        .join(_member, _member.c.id == conversations.c.contact_id)
        .join(_asked, _asked.c.root_id == _member.c.root_id)
        .where(among(_asked.c.id), _is_open)
        .distinct()
    )
)


_LATEST_IN = by_keys(
    lambda among: (
        sa.select(interactions)
        .join(conversations, conversations.c.id == interactions.c.conversation_id)
        .where(
            among(conversations.c.id),
            interactions.c.seq > conversations.c.last_seq - sa.bindparam("most", type_=sa.Integer),
        )
        .order_by(interactions.c.conversation_id, interactions.c.seq)
    )
)


class SqlConversations(SqlTimeline):
    """Conversations and the interactions in them."""

    def add(self, conversation: Conversation) -> None:
        """Insert; a second live conversation of one identity and thread raises Conflict."""
        values = {"id": conversation.id, **conversation_values(conversation)}
        if not insert(self._connection, _ADD, {**values, "version": conversation.version}):
            raise Conflict("the identity has an open conversation in this thread")

    def get(self, conversation: ConversationId) -> Conversation:
        """Return a conversation; raises NotFound."""
        what = f"conversation {conversation}"
        return as_conversation(the(self._connection, _GET, {"of": conversation}, what))

    def save(self, conversation: Conversation) -> Conversation:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        version = conversation.version
        keys = {"of": conversation.id, "expected": version, "version": version + 1}
        problem = f"conversation {conversation.id} was changed meanwhile"
        must_change(self._connection, _SAVE, {**keys, **conversation_values(conversation)}, problem)
        return replace(conversation, version=version + 1)

    def live(self, account: AccountName, external_id: str, thread: str) -> Conversation | None:
        """Return the open conversation of an identity in a thread."""
        asked = {"of_account": account, "of_external_id": external_id, "of_thread": thread}
        row = one(self._connection, _LIVE, asked)
        return None if row is None else as_conversation(row)

    def in_thread(self, account: AccountName, thread: str) -> Conversation | None:
        """Return the latest conversation of a thread (a call), in whatever state."""
        asked = {"of_account": account, "of_thread": thread}
        row = one(self._connection, _IN_THREAD, asked)
        return None if row is None else as_conversation(row)

    def some(self, conversations: Collection[ConversationId]) -> tuple[Conversation, ...]:
        """Return those of ``conversations`` that exist, in the order of their ids."""
        return tuple(map(as_conversation, ask_all(self._connection, _SOME, tuple(conversations))))

    def latest_in(
        self, conversations: Collection[ConversationId], *, limit: int
    ) -> Mapping[ConversationId, tuple[Interaction, ...]]:
        """Return the last ``limit`` interactions of each, in order of seq."""
        found: dict[ConversationId, list[Interaction]] = {each: [] for each in conversations}
        for row in ask_all(self._connection, _LATEST_IN, tuple(conversations), most=limit):
            found[row["conversation_id"]].append(as_interaction(row))
        return {name: tuple(said) for name, said in found.items()}

    def places(self, conversations: Collection[ConversationId]) -> Mapping[ConversationId, Place]:
        """Return where those of ``conversations`` stand that exist."""
        return {
            ConversationId(row["id"]): Place(
                account=AccountName(row["account"]),
                external_id=row["external_id"],
                agent=None if row["agent_id"] is None else AgentId(row["agent_id"]),
                agent_name=row["name"] or "",
            )
            for row in ask_all(self._connection, _PLACES, tuple(conversations))
        }

    def with_bot(self) -> tuple[Conversation, ...]:
        """Return what a bot has in hand and must answer: all is read, the contact waits."""
        return tuple(map(as_conversation, many(self._connection, _WITH_BOT)))

    def in_state(self, *states: type) -> tuple[Conversation, ...]:
        """Return open conversations whose state is one of ``states``, oldest first."""
        asked = {"states": [each.__name__ for each in states]}
        return tuple(map(as_conversation, many(self._connection, _IN_STATE, asked)))

    def unanswered(self, channel: ChannelName, *, before: datetime) -> tuple[Conversation, ...]:
        """Return who waits on a channel since ``before`` or earlier, and no alarm was raised.

        Oldest first, open conversations only.
        """
        asked = {"of_channel": channel, "before": before}
        return tuple(map(as_conversation, many(self._connection, _UNANSWERED, asked)))

    def open_of_persons(self, contacts: Collection[ContactId]) -> tuple[ConversationId, ...]:
        """Return the open conversations of the persons to whom ``contacts`` belong."""
        rows = ask_all(self._connection, _OPEN_OF_PERSONS, tuple(contacts))
        return tuple(ConversationId(row["id"]) for row in rows)

    def open(self) -> tuple[Conversation, ...]:
        """Return every conversation that is not closed, oldest first."""
        return tuple(map(as_conversation, many(self._connection, _OPEN)))

    def count(self) -> int:
        """Return how many there have ever been."""
        return int(self._connection.execute(_COUNT).scalar_one())

    def held_by(self, agent: AgentId) -> tuple[Conversation, ...]:
        """Return what stands on an agent's desk: offered, in hand, wrap-up, parked."""
        return tuple(map(as_conversation, many(self._connection, _HELD_BY, {"by": agent})))

    def of(
        self, members: Collection[ContactId], *, open_only: bool = False, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """Return a person's conversations, newest first."""
        asked = {"members": list(members), "at_most": limit}
        return tuple(map(as_conversation, many(self._connection, _OF[open_only], asked)))

    def closed_between(self, since: datetime, until: datetime) -> tuple[Conversation, ...]:
        """Return what was closed from ``since`` until just before ``until``, oldest first."""
        asked = {"since": since, "until": until}
        return tuple(map(as_conversation, many(self._connection, _CLOSED_BETWEEN, asked)))

    def ended_between(self, since: datetime, until: datetime) -> tuple[Ended, ...]:
        """Return what was closed from ``since`` until just before ``until``, oldest first."""
        rows = many(self._connection, _ENDED_BETWEEN, {"since": since, "until": until})
        return tuple(map(_ended, rows))


def conversation_values(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation as its row states it, without id and version."""
    return {
        "contact_id": conversation.contact,
        "channel": conversation.channel,
        "account": conversation.account,
        "external_id": conversation.external_id,
        "thread": conversation.thread,
        "queue": conversation.queue,
        "state": type(conversation.state).__name__,
        "state_json": dump(conversation.state),
        "agent_id": responsible(conversation.state),
        "needs": dump_once(conversation.needs),
        "language": conversation.language,
        "priority": conversation.priority,
        "public": conversation.public,
        "opened_at": conversation.opened_at,
        "waiting_since": conversation.waiting_since,
        "first_answer_at": conversation.first_answer_at,
        "last_in_at": conversation.last_in_at,
        "last_out_at": conversation.last_out_at,
        "unread": conversation.unread,
        "bot_ok": conversation.bot_ok,
        "wants_human": conversation.wants_human,
        "flagged": conversation.flagged,
        "mood": dump_once(conversation.mood),
        "previous_agent": conversation.previous_agent,
        "excluded": dump_once(conversation.excluded),
        "subject": conversation.subject,
        "disposition": conversation.disposition,
        "disposition_note": conversation.disposition_note,
        "closed_at": conversation.closed_at,
        "plan": None if conversation.plan is None else dump(conversation.plan),
        "last_seq": conversation.last_seq,
    }


def _ended(row: RowMapping) -> Ended:
    return Ended(
        conversation=ConversationId(row["id"]),
        person=ContactId(row["root_id"]),
        channel=row["channel"],
        queue=QueueName(row["queue"]),
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        first_answer_at=row["first_answer_at"],
        disposition=row["disposition"],
    )


#: What stands in many rows alike is read once; the values cannot change.
_state = lru_cache(4096)(partial(load, State))
_needs = lru_cache(1024)(partial(load, frozenset[Need]))
_mood = lru_cache(1024)(partial(load, Mood))
_excluded = lru_cache(1024)(partial(load, frozenset[AgentId]))


def as_conversation(row: Found) -> Conversation:
    """Return a conversation as its row has it."""
    previous = row["previous_agent"]
    return Conversation(
        id=ConversationId(row["id"]),
        contact=ContactId(row["contact_id"]),
        channel=ChannelName(row["channel"]),
        account=AccountName(row["account"]),
        external_id=row["external_id"],
        thread=row["thread"],
        queue=QueueName(row["queue"]),
        state=_state(row["state_json"]),
        needs=_needs(row["needs"]),
        language=row["language"],
        priority=row["priority"],
        public=row["public"],
        opened_at=row["opened_at"],
        waiting_since=row["waiting_since"],
        first_answer_at=row["first_answer_at"],
        last_in_at=row["last_in_at"],
        last_out_at=row["last_out_at"],
        unread=row["unread"],
        bot_ok=row["bot_ok"],
        wants_human=row["wants_human"],
        flagged=row["flagged"],
        mood=CALM if row["mood"] is None else _mood(row["mood"]),
        previous_agent=None if previous is None else AgentId(previous),
        excluded=_excluded(row["excluded"]),
        subject=row["subject"],
        disposition=row["disposition"],
        disposition_note=row["disposition_note"],
        closed_at=row["closed_at"],
        last_seq=row["last_seq"],
        plan=None if row["plan"] is None else load(Following, row["plan"]),
        version=row["version"],
    )
