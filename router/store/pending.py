"""What a transaction for many deliveries remembers, and what it has yet to write.

Pending rows are written in one statement a table: at the end, and before any question or write that
goes to the database itself. If the tables turn out to be other than was remembered, because
another daemon was faster, `Conflict` is raised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from router.domain.case import Case
from router.domain.contact import Contact
from router.domain.conversation import Conversation
from router.domain.ids import AccountName, ContactId, ConversationId, InteractionId
from router.domain.timeline import Interaction
from router.service.ports import Conflict
from router.service.records import KnownIdentity
from router.store.contacts import identity_values
from router.store.conversations import conversation_values
from router.store.dialect import insert_or_add
from router.store.sets import insert_all, update_all
from router.store.tables import contacts, conversations, identities, interactions
from router.store.traffic import counts, deliveries, media, windows
from router.store.types import storable

#: An account and what the platform calls somebody or something there.
Key = tuple[AccountName, str]

_SEEN = {
    "last_seen_at": (
        "CASE WHEN kept.last_seen_at < given.last_seen_at "
        "THEN given.last_seen_at ELSE kept.last_seen_at END"
    ),
    "name": "CASE WHEN given.name <> '' THEN given.name ELSE kept.name END",
    "following": "coalesce(given.following, kept.following)",
}
_COUNT = insert_or_add(counts, "count")


def key_of(account: AccountName, external_id: str) -> Key:
    """Return the key under which the tables hold it."""
    return account, storable(external_id)


@dataclass(slots=True)
class Memory:
    """What was looked up, kept as it will be once what is pending is written."""

    known: dict[Key, KnownIdentity | None] = field(default_factory=dict)
    claims: dict[Key, dict[tuple[str, str], bool]] = field(default_factory=dict)
    contacts: dict[ContactId, Contact] = field(default_factory=dict)
    members: dict[ContactId, tuple[ContactId, ...]] = field(default_factory=dict)
    externals: dict[Key, Interaction | None] = field(default_factory=dict)
    early: dict[Key, bool] = field(default_factory=dict)
    talks: dict[ConversationId, Conversation] = field(default_factory=dict)
    live: dict[Key, dict[str, ConversationId]] = field(default_factory=dict)
    recent: dict[ContactId, tuple[ConversationId, ...]] = field(default_factory=dict)
    said: dict[InteractionId, Interaction] = field(default_factory=dict)
    complaints: dict[ContactId, tuple[Case, ...]] = field(default_factory=dict)
    proposed: dict[ContactId, bool] = field(default_factory=dict)
    asked: dict[ContactId, bool] = field(default_factory=dict)

    def forget(self, table: str) -> None:
        """Answer nothing from memory any more that a write to ``table`` may have changed."""
        talks: tuple[dict[Any, Any], ...] = (self.talks, self.live, self.recent)
        said: tuple[dict[Any, Any], ...] = (self.externals, self.said)
        concerned: Mapping[str, tuple[dict[Any, Any], ...]] = {
            "identities": (self.known,),
            "claims": (self.claims,),
            "early_changes": (self.early,),
            "conversations": talks,
            "interactions": said,
            "cases": (self.complaints,),
            "proposals": (self.proposed,),
            "follow_ups": (self.asked,),
            "contacts": (
                *(self.known, self.contacts, self.members, self.recent),
                *(self.complaints, self.proposed, self.asked),
            ),
        }
        for each in concerned.get(table, ()):
            each.clear()


#: The tables whose rows may be pending.
_PENDING = frozenset(
    each.name
    for each in (
        *(contacts, identities, conversations, interactions),
        *(windows, media, deliveries, counts),
    )
)


@dataclass(slots=True)
class Pending:
    """Rows that are yet to be written, and where."""

    connection: Connection
    contacts: list[dict[str, Any]] = field(default_factory=list)
    identities: dict[Key, KnownIdentity] = field(default_factory=dict)
    seen: dict[Key, dict[str, Any]] = field(default_factory=dict)
    opened: dict[ConversationId, Conversation] = field(default_factory=dict)
    changed: dict[ConversationId, tuple[int, Conversation]] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    read: dict[InteractionId, dict[str, Any]] = field(default_factory=dict)
    windows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    media: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[tuple[AccountName, str], int] = field(default_factory=dict)
    waiting: bool = False

    def flush(self) -> None:
        """Write everything; raises Conflict if the tables are not as we remember them."""
        if not self.waiting:
            return
        self.waiting = False
        self._persons()
        self._talks()
        self._rest()

    def _persons(self) -> None:
        _all_new(self.connection, contacts, self.contacts, "a contact")
        attached = [identity_values(self.identities[key]) for key in sorted(self.identities)]
        _all_new(self.connection, identities, attached, "an identity")
        rows = [self.seen[key] for key in sorted(self.seen)]
        where = {"account": "account", "external_id": "external_id"}
        update_all(self.connection, identities, rows, where=where, setting=_SEEN)
        self.contacts.clear()
        self.identities.clear()
        self.seen.clear()

    def _talks(self) -> None:
        changes = [
            {"id": key, "expected": was, **_standing(now)}
            for key, (was, now) in sorted(self.changed.items())
        ]
        where = {"id": "id", "version": "expected"}
        if update_all(self.connection, conversations, changes, where=where) != len(changes):
            raise Conflict("a conversation was changed meanwhile")
        opened = [{"id": key, **_standing(self.opened[key])} for key in sorted(self.opened)]
        _all_new(self.connection, conversations, opened, "a conversation")
        _all_new(self.connection, interactions, self.said, "an interaction")
        read = [self.read[key] for key in sorted(self.read)]
        update_all(self.connection, interactions, read, where={"id": "id"})
        self.read.clear()
        self.changed.clear()
        self.opened.clear()
        self.said.clear()

    def _rest(self) -> None:
        insert_all(self.connection, windows, [self.windows[key] for key in sorted(self.windows)])
        insert_all(self.connection, media, self.media)
        insert_all(self.connection, deliveries, self.deliveries)
        for (account, kind), by in sorted(self.counts.items()):
            values = {"account": account, "kind": kind, "count": by}
            self.connection.execute(_COUNT[self.connection.dialect.name], values)
        self.windows.clear()
        self.media.clear()
        self.deliveries.clear()
        self.counts.clear()


class Watched:
    """The connection for all that is not answered from memory: first, what is pending is written.

    It can do what repositories do with a connection, and nothing else.
    """

    def __init__(self, pending: Pending, memory: Memory) -> None:
        self._pending, self._memory = pending, memory
        self.dialect = pending.connection.dialect

    def execute(self, statement: Any, given: Any = None) -> Any:
        """Run a statement on the tables as they are, with everything written.

        A row for another table asks nothing of what is pending, and does not make it written.
        """
        if not _is_row_for_another_table(statement):
            self._pending.flush()
        if getattr(statement, "is_dml", False):
            self._memory.forget(statement.table.name)
        return self._pending.connection.execute(statement, given)


def _is_row_for_another_table(statement: Any) -> bool:
    return (
        isinstance(statement, sa.Insert)
        and statement.select is None
        and statement.table.name not in _PENDING
    )


def _standing(conversation: Conversation) -> dict[str, Any]:
    return {**conversation_values(conversation), "version": conversation.version}


def _all_new(
    connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], what: str
) -> None:
    if insert_all(connection, table, rows) != len(rows):
        raise Conflict(f"somebody else wrote {what} at once")
