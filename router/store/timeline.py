"""The repository of interactions, and of changes that came before their message."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.content import Content, plain_text
from router.domain.ids import (
    AccountName,
    ContactId,
    ConversationId,
    InteractionId,
    PublicationId,
)
from router.domain.reading import Reading
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.service.ports import Conflict
from router.service.records import EarlyChange
from router.store.codec import dump, load
from router.store.dialect import containing, contains, insert_new
from router.store.making import maker
from router.store.rows import insert, many, must_be_there, one, the
from router.store.sets import Found, ask_all, by_keys
from router.store.tables import contacts, conversations, early_changes, interactions
from router.store.writings import publication_uses

#: Members by what stands in the rows: looked up several times as fast as they are called.
_DIRECTIONS = {each.value: each for each in Direction}
_KINDS = {each.value: each for each in Kind}
_SENDINGS = {each.value: each for each in Sending}
_interaction = maker(Interaction)
#: The columns that make an interaction, in the order of its fields.
_FIELDS = (
    *("id", "contact_id", "conversation_id", "channel", "account", "external_id"),
    *("direction", "kind", "author", "author_name", "content"),
    *("at", "received_at", "seq", "public", "final", "sending"),
    *("why", "edited_at", "recalled_at", "reading", "unread", "sources"),
)
_SHOWN = tuple(interactions.c[name] for name in _FIELDS)
_CHUNK = 5000  # conversations asked for in one statement
_LAST = 2**62  # later than any seq
_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_at_most = sa.bindparam("at_most", type_=sa.Integer)
_external = sa.and_(
    interactions.c.account == sa.bindparam("of_account"),
    interactions.c.external_id == sa.bindparam("of_external_id"),
)

_APPEND = insert_new(interactions)  # names no key: a distributed table has others
_USE = sa.insert(publication_uses)
_GET = sa.select(interactions).where(interactions.c.id == sa.bindparam("of"))
_BY_EXTERNAL = sa.select(interactions).where(_external)
_WRITE = sa.update(interactions).where(interactions.c.id == sa.bindparam("of"))
_UNREAD = (
    sa.select(interactions)
    .where(
        interactions.c.unread,
        interactions.c.contact_id.not_in(sa.bindparam("besides", expanding=True)),
    )
    .order_by(interactions.c.received_at, interactions.c.id)
    .limit(_at_most)
)
_UNREAD_BY = (
    sa.select(interactions)
    .where(interactions.c.unread, interactions.c.contact_id.in_(_among))
    .order_by(interactions.c.received_at, interactions.c.id)
    .limit(_at_most)
)
_URGENT = (
    sa.select(interactions.c.contact_id)
    .where(
        interactions.c.unread,
        interactions.c.urgent,
        interactions.c.contact_id.not_in(sa.bindparam("besides", expanding=True)),
    )
    .group_by(interactions.c.contact_id)
    .order_by(sa.func.min(interactions.c.received_at), interactions.c.contact_id)
    .limit(_at_most)
)
_UNREAD_OF = (
    sa.select(sa.func.count())
    .select_from(interactions)
    .where(interactions.c.unread, interactions.c.contact_id.in_(_among))
)

_member, _asked = contacts.alias("member"), contacts.alias("asked")
_UNREAD_OF_PERSONS = by_keys(
    lambda among: (
        sa.select(_asked.c.id.label("asked_id"), sa.func.count().label("unread"))
        .select_from(_asked)
        .join(_member, _member.c.root_id == _asked.c.root_id)
        .join(interactions, interactions.c.contact_id == _member.c.id)
        .where(among(_asked.c.id), interactions.c.unread)
        .group_by(_asked.c.id)
    )
)


def _page(*, later: bool, worded: bool) -> "sa.Select[Any]":
    table = interactions.c
    page = sa.select(*_SHOWN).where(table.contact_id.in_(_among))
    if later:
        given: tuple[Any, ...] = (
            sa.bindparam("before_at", type_=table.at.type),
            sa.bindparam("before_id"),
        )
        page = page.where(sa.tuple_(table.at, table.id) < sa.tuple_(*given))
    if worded:
        page = page.where(contains(table.text))
    return page.order_by(table.at.desc(), table.id.desc()).limit(_at_most)


_PAGES: Mapping[tuple[bool, bool], "sa.Select[Any]"] = {
    (later, worded): _page(later=later, worded=worded)
    for later in (False, True)
    for worded in (False, True)
}
_SAID_IN = (
    sa.select(*_SHOWN)
    .where(
        interactions.c.conversation_id == sa.bindparam("of"),
        interactions.c.seq > sa.bindparam("after"),
        interactions.c.seq < sa.bindparam("before"),
    )
    .order_by(interactions.c.seq.desc())
    .limit(_at_most)
)
_LAST_SAID = (
    sa.select(interactions.c.reply_handle, interactions.c.external_id)
    .where(
        interactions.c.conversation_id == sa.bindparam("of"),
        interactions.c.direction == Direction.IN.value,
    )
    .order_by(interactions.c.seq.desc())
    .limit(1)
)
_LAST_WORDS = (
    sa.select(interactions.c.conversation_id, interactions.c.text)
    .join(conversations, conversations.c.id == interactions.c.conversation_id)
    .where(
        conversations.c.id.in_(sa.bindparam("wanted", expanding=True)),
        interactions.c.seq > conversations.c.last_seq - sa.bindparam("among", type_=sa.Integer),
        interactions.c.direction == Direction.IN.value,
        interactions.c.text != "",
    )
    .order_by(interactions.c.seq)
)
_READINGS = (
    sa.select(interactions.c.conversation_id, interactions.c.reading)
    .where(
        interactions.c.conversation_id.in_(sa.bindparam("wanted", expanding=True)),
        interactions.c.direction == Direction.IN.value,
        interactions.c.reading.is_not(None),
    )
    .order_by(interactions.c.conversation_id, interactions.c.seq)
)
_KEEP_EARLY = insert_new(early_changes)
_TAKE_EARLY = (
    sa.delete(early_changes)
    .where(
        early_changes.c.account == sa.bindparam("of_account"),
        early_changes.c.target == sa.bindparam("of_target"),
    )
    .returning(early_changes)
)


class SqlTimeline:
    """Interactions: each one thing said or done."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self, interaction: Interaction, *, reply_handle: str = "", urgent: bool = False
    ) -> bool:
        """Insert; return False if (account, external id) stands on a timeline already.

        Raises Conflict if its place in the conversation is taken.
        """
        values = {**interaction_values(interaction, reply_handle), "urgent": urgent}
        new = insert(self._connection, _APPEND, values)
        if not new and self.by_external(interaction.account, interaction.external_id) is None:
            raise Conflict(f"another interaction has the place of {interaction.id}")
        if new and interaction.sources:
            self._connection.execute(_USE, _uses(interaction))
        return new

    def interaction(self, interaction: InteractionId) -> Interaction:
        """Return an interaction; raises NotFound."""
        what = f"interaction {interaction}"
        return as_interaction(the(self._connection, _GET, {"of": interaction}, what))

    def by_external(self, account: AccountName, external_id: str) -> Interaction | None:
        """Return the interaction that the platform knows by this id."""
        asked = {"of_account": account, "of_external_id": external_id}
        row = one(self._connection, _BY_EXTERNAL, asked)
        return None if row is None else as_interaction(row)

    def rewrite(
        self,
        interaction: InteractionId,
        *,
        content: Content,
        edited_at: datetime | None,
        final: bool = True,
        unread: bool = True,
        urgent: bool = False,
    ) -> None:
        """Replace what it says: an edit, or a call segment's later version. Raises NotFound."""
        marks = {"edited_at": edited_at, "final": final, "unread": unread, "urgent": urgent}
        self._write(interaction, **_said(content), **marks)

    def recall(self, interaction: InteractionId, *, at: datetime) -> None:
        """Note that its author took it back; what it said stays. Raises NotFound."""
        self._write(interaction, recalled_at=at)

    def set_sending(self, interaction: InteractionId, sending: Sending, *, why: str = "") -> None:
        """Write how far something of ours has come. Raises NotFound."""
        self._write(interaction, sending=sending.value, why=why)

    def store_media(self, interaction: InteractionId, content: Content) -> None:
        """Replace the content after its media was fetched; not an edit, not unread again."""
        self._write(interaction, **_said(content))

    def mark_read(self, interaction: InteractionId, reading: Reading) -> None:
        """Keep what a reader understood. Raises NotFound."""
        self._write(interaction, reading=dump(reading), unread=False)

    def _write(self, interaction: InteractionId, **values: Any) -> None:
        what = f"interaction {interaction}"
        must_be_there(self._connection, _WRITE, {"of": interaction, **values}, what)

    def unread(self, *, limit: int, besides: Collection[ContactId] = ()) -> tuple[Interaction, ...]:
        """Return what no reader has seen, oldest first, but nothing of ``besides``."""
        asked = {"at_most": limit, "besides": list(besides)}
        return tuple(map(as_interaction, many(self._connection, _UNREAD, asked)))

    def unread_by(self, contacts: Collection[ContactId], *, limit: int) -> tuple[Interaction, ...]:
        """Return what these contacts said and no reader has seen, oldest first."""
        asked = {"at_most": limit, "members": list(contacts)}
        return tuple(map(as_interaction, many(self._connection, _UNREAD_BY, asked)))

    def urgent(self, *, limit: int, besides: Collection[ContactId] = ()) -> tuple[ContactId, ...]:
        """Return who said something that cannot wait and that no reader has seen."""
        asked = {"at_most": limit, "besides": list(besides)}
        rows = many(self._connection, _URGENT, asked)
        return tuple(ContactId(row["contact_id"]) for row in rows)

    def unread_of(self, members: Collection[ContactId]) -> int:
        """Return how many interactions of the person no reader has seen."""
        asked = {"members": list(members)}
        return self._connection.execute(_UNREAD_OF, asked).scalar_one()

    def unread_of_persons(self, contacts: Collection[ContactId]) -> Mapping[ContactId, int]:
        """Return, for each given contact (origin or root), what `unread_of` says of the person."""
        rows = ask_all(self._connection, _UNREAD_OF_PERSONS, tuple(contacts))
        found = {ContactId(row["asked_id"]): row["unread"] for row in rows}
        return {contact: found.get(contact, 0) for contact in contacts}

    def timeline(
        self,
        members: Collection[ContactId],
        *,
        before: tuple[datetime, InteractionId] | None = None,
        limit: int = 50,
        words: str = "",
    ) -> tuple[Interaction, ...]:
        """Return a page of a person's timeline, newest first; ``before`` pages by key."""
        asked: dict[str, Any] = {"members": list(members), "at_most": limit}
        if before is not None:
            asked |= {"before_at": before[0], "before_id": before[1]}
        if words:
            asked |= {"pattern": containing(words)}
        page = _PAGES[before is not None, bool(words)]
        return tuple(map(_as_shown, self._connection.execute(page, asked).all()))

    def said_in(
        self,
        conversation: ConversationId,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 200,
    ) -> tuple[Interaction, ...]:
        """Return a conversation's interactions with seq in (after, before), in order of seq.

        With ``before`` or a limit that cuts, the latest ones are returned (still in order).
        """
        until = _LAST if before is None else before
        asked = {"of": conversation, "after": after, "before": until, "at_most": limit}
        return tuple(map(_as_shown, reversed(self._connection.execute(_SAID_IN, asked).all())))

    def last_words(
        self, conversations: Collection[ConversationId], *, among: int
    ) -> Mapping[ConversationId, str]:
        """Return the contact's last words in each, found in its last ``among`` interactions."""
        wanted, found = list(conversations), {}
        for start in range(0, len(wanted), _CHUNK):
            asked = {"wanted": wanted[start : start + _CHUNK], "among": among}
            for row in many(self._connection, _LAST_WORDS, asked):
                found[ConversationId(row["conversation_id"])] = str(row["text"])
        return found

    def readings_in(
        self, conversations: Collection[ConversationId]
    ) -> Mapping[ConversationId, tuple[Reading, ...]]:
        """Return what was understood of the contact's words in each, in their order."""
        wanted = list(conversations)
        found: defaultdict[ConversationId, list[Reading]] = defaultdict(list)
        for start in range(0, len(wanted), _CHUNK):
            asked = {"wanted": wanted[start : start + _CHUNK]}
            for row in many(self._connection, _READINGS, asked):
                found[row["conversation_id"]].append(load(Reading, row["reading"]))
        return {name: tuple(readings) for name, readings in found.items()}

    def last_reply_handle(self, conversation: ConversationId) -> tuple[str, str]:
        """Return (reply handle, external id) of the contact's last interaction, or empty."""
        row = one(self._connection, _LAST_SAID, {"of": conversation})
        return ("", "") if row is None else (row["reply_handle"], row["external_id"])

    def keep_early(self, account: AccountName, external_id: str, change: EarlyChange) -> bool:
        """Keep a change whose message has not come; False if this change is kept already."""
        values = {
            "account": account,
            "external_id": external_id,
            "target": change.target,
            "at": change.at,
            "content": None if change.content is None else dump(change.content),
        }
        return insert(self._connection, _KEEP_EARLY, values)

    def take_early(self, account: AccountName, target: str) -> tuple[EarlyChange, ...]:
        """Return and forget the kept changes of a message, oldest first."""
        asked = {"of_account": account, "of_target": target}
        rows = self._connection.execute(_TAKE_EARLY, asked).mappings().all()
        oldest_first = sorted(rows, key=lambda row: (row["at"], row["external_id"]))
        return tuple(map(_early, oldest_first))


def _said(content: Content) -> dict[str, str]:
    return {"content": dump(content), "text": plain_text(content)}


def interaction_values(interaction: Interaction, reply_handle: str) -> dict[str, Any]:
    """Return an interaction as its row states it."""
    reading = interaction.reading
    return {
        "id": interaction.id,
        "contact_id": interaction.contact,
        "conversation_id": interaction.conversation,
        "channel": interaction.channel,
        "account": interaction.account,
        "external_id": interaction.external_id,
        "direction": interaction.direction.value,
        "kind": interaction.kind.value,
        "author": interaction.author,
        "author_name": interaction.author_name,
        **_said(interaction.content),
        "at": interaction.at,
        "received_at": interaction.received_at,
        "seq": interaction.seq,
        "public": interaction.public,
        "final": interaction.final,
        "sending": interaction.sending.value,
        "why": interaction.why,
        "reply_handle": reply_handle,
        "edited_at": interaction.edited_at,
        "recalled_at": interaction.recalled_at,
        "reading": None if reading is None else dump(reading),
        "unread": interaction.unread,
        "sources": dump(interaction.sources) if interaction.sources else "",
    }


def _uses(interaction: Interaction) -> list[dict[str, Any]]:
    return [
        {
            "interaction_id": interaction.id,
            "publication_id": source,
            "conversation_id": interaction.conversation,
            "author": interaction.author,
            "at": interaction.at,
        }
        for source in dict.fromkeys(interaction.sources)
    ]


def as_interaction(row: Found) -> Interaction:
    """Return an interaction as its row has it."""
    return _as_shown([row[name] for name in _FIELDS])


def _as_shown(row: Sequence[Any]) -> Interaction:
    """Return an interaction of the columns ``_FIELDS``."""
    *ids, direction, kind, author, author_name, content = row[:11]
    *times, sending = row[11:17]
    why, edited_at, recalled_at, reading, unread, sources = row[17:]
    return _interaction(
        (
            *ids,
            _DIRECTIONS[direction],
            _KINDS[kind],
            author,
            author_name,
            load(Content, content),
            *times,
            _SENDINGS[sending],
            why,
            edited_at,
            recalled_at,
            None if reading is None else load(Reading, reading),
            unread,
            _sources(sources),
        )
    )


def _sources(text: str) -> tuple[PublicationId, ...]:
    return tuple(map(PublicationId, load(tuple[str, ...], text))) if text else ()


def _early(row: RowMapping) -> EarlyChange:
    content = row["content"]
    return EarlyChange(
        target=row["target"],
        at=row["at"],
        content=None if content is None else load(Content, content),
    )
