"""A transaction for many deliveries: asks once about all of them, and writes once for all of them.

The verbs are the same as for one delivery. What they will ask is looked up beforehand for everybody
whom the deliveries name, and answered from memory, as it will be once what is pending is written
(`router.store.pending`). Whatever else they ask goes to the tables. On PostgreSQL the persons are
locked first and looked at afterwards, so that nobody changes them meanwhile.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from router.domain.contact import Contact
from router.domain.conversation import Conversation
from router.domain.identity import Claim, Identity
from router.domain.ids import AccountName, ContactId, ConversationId
from router.domain.timeline import Interaction
from router.service.ports import Conflict
from router.service.records import EarlyChange, KnownIdentity, MediaRow, RawDelivery
from router.service.repository.mentioned import Mentioned
from router.store.contacts import SqlContacts, as_contact, as_known, contact_values
from router.store.conversations import SqlConversations, as_conversation
from router.store.journal import SqlJournal
from router.store.outbox import SqlOutbox
from router.store.pending import Memory, Pending, Watched, key_of
from router.store.sets import Among, ask_all, by_keys
from router.store.tables import claims, contacts, conversations, early_changes, identities
from router.store.tables import interactions as said
from router.store.timeline import as_interaction, interaction_values
from router.store.upkeep import delivery_values, media_values

#: How many of a person's conversations are remembered; who asks for more is told by the tables.
_RECENT = 5

_of_account: sa.BindParameter[str] = sa.bindparam("of_account")
_KNOWN = by_keys(
    lambda among: sa.select(identities).where(
        identities.c.account == _of_account, among(identities.c.external_id)
    )
)
_CLAIMS = by_keys(
    lambda among: sa.select(claims).where(
        claims.c.account == _of_account, among(claims.c.external_id)
    )
)
_SAID = by_keys(
    lambda among: sa.select(said).where(said.c.account == _of_account, among(said.c.external_id))
)
_EARLY = by_keys(
    lambda among: sa.select(early_changes.c.target).where(
        early_changes.c.account == _of_account, among(early_changes.c.target)
    )
)
_ROOTS = by_keys(lambda among: sa.select(contacts.c.root_id).where(among(contacts.c.id)))
_HOLD = by_keys(
    lambda among: (
        sa.select(contacts.c.id)
        .where(among(contacts.c.id))
        .order_by(contacts.c.id)
        .with_for_update()
    )
)
_PERSONS = by_keys(
    lambda among: (
        sa.select(contacts)
        .where(among(contacts.c.root_id))
        .order_by(contacts.c.id != contacts.c.root_id, contacts.c.created_at, contacts.c.id)
    )
)
_LIVE = by_keys(
    lambda among: (
        sa.select(conversations)
        .where(
            conversations.c.account == _of_account,
            among(conversations.c.external_id),
            conversations.c.closed_at.is_(None),
        )
        .order_by(conversations.c.id)
        .with_for_update()
    )
)


def _recent(among: Among) -> "sa.Select[Any]":
    order = (conversations.c.opened_at.desc(), conversations.c.id.desc())
    place = sa.func.row_number().over(partition_by=conversations.c.contact_id, order_by=order)
    placed = sa.select(conversations, place.label("place")).where(among(conversations.c.contact_id))
    inner = placed.subquery()
    return sa.select(inner).where(inner.c.place <= _RECENT)


_LATEST = by_keys(_recent)


def gather(connection: Connection, mentioned: Mentioned) -> tuple[Memory, Pending]:
    """Look up whom and what deliveries name; the persons are held until the transaction ends."""
    memory, pending = Memory(), Pending(connection)
    for account, names in _by_account(mentioned.identities).items():
        asked = {"of_account": account}
        for name in names:
            key = key_of(account, name)
            memory.known[key], memory.claims[key], memory.live[key] = None, {}, {}
        for row in ask_all(connection, _KNOWN, names, **asked):
            memory.known[account, row["external_id"]] = as_known(row)
        for row in ask_all(connection, _CLAIMS, names, **asked) if mentioned.claims else ():
            held = memory.claims[account, row["external_id"]]
            held[row["kind"], row["value"]] = row["verified"]
    _persons(connection, memory)
    for account, names in _by_account(mentioned.externals).items():
        asked = {"of_account": account}
        memory.externals.update((key_of(account, name), None) for name in names)
        memory.early.update((key_of(account, name), False) for name in names)
        for row in ask_all(connection, _SAID, names, **asked):
            memory.externals[account, row["external_id"]] = as_interaction(row)
        for row in ask_all(connection, _EARLY, names, **asked):
            memory.early[account, row["target"]] = True
    for account, names in _by_account(mentioned.identities).items():
        for row in ask_all(connection, _LIVE, names, of_account=account):
            _remember(memory, as_conversation(row))
    _latest(connection, memory)
    return memory, pending


def _by_account(keys: Iterable[tuple[AccountName, str]]) -> dict[AccountName, list[str]]:
    found: dict[AccountName, list[str]] = {}
    for account, name in sorted(keys):
        found.setdefault(account, []).append(name)
    return found


def _persons(connection: Connection, memory: Memory) -> None:
    """Hold every person who is named; raises Conflict if two were made one meanwhile."""
    origins = sorted({each.contact for each in memory.known.values() if each is not None})
    roots = sorted({row["root_id"] for row in ask_all(connection, _ROOTS, origins)})
    if connection.dialect.name == "postgresql":
        ask_all(connection, _HOLD, roots)
    members: dict[ContactId, list[ContactId]] = {}
    for row in ask_all(connection, _PERSONS, roots):
        contact = as_contact(row)
        memory.contacts[contact.id] = contact
        members.setdefault(contact.root, []).append(contact.id)
    for each in members.values():
        memory.members.update(dict.fromkeys(each, tuple(each)))
    if not memory.contacts.keys() >= set(origins):
        raise Conflict("a person was merged or split meanwhile")


def _latest(connection: Connection, memory: Memory) -> None:
    """Look up the latest conversations of known persons who have none that is open here."""
    asked = {
        member
        for key, known in memory.known.items()
        if known is not None and not memory.live.get(key)
        for member in memory.members[known.contact]
    }
    found: dict[ContactId, list[Conversation]] = {each: [] for each in asked}
    for row in ask_all(connection, _LATEST, sorted(asked)):
        talk = as_conversation(row)
        found[talk.contact].append(talk)
        memory.talks.setdefault(talk.id, talk)
    for contact, talks in found.items():
        memory.recent[contact] = tuple(each.id for each in _newest_first(talks))


def _newest_first(talks: Iterable[Conversation]) -> list[Conversation]:
    return sorted(talks, key=lambda each: (each.opened_at, each.id), reverse=True)


def _remember(memory: Memory, talk: Conversation) -> Conversation:
    memory.talks[talk.id] = talk
    held = memory.live.get(key_of(talk.account, talk.external_id))
    if held is not None and talk.closed_at is None:
        held[talk.thread] = talk.id
    return talk


class GatheredContacts(SqlContacts):
    """Persons: those whom the deliveries name from memory, others from the tables."""

    def __init__(self, watched: Watched, memory: Memory, pending: Pending) -> None:
        super().__init__(cast("Connection", watched))
        self._memory, self._pending = memory, pending

    def known(self, account: AccountName, external_id: str) -> KnownIdentity | None:
        """Return the identity with its contact, if it was seen before."""
        key = key_of(account, external_id)
        if key in self._memory.known:
            return self._memory.known[key]
        return super().known(account, external_id)

    def add(self, contact: Contact) -> None:
        """Insert a contact."""
        self._pending.contacts.append(contact_values(contact))
        self._pending.waiting = True
        self._memory.contacts[contact.id] = contact
        if contact.root == contact.id:
            self._memory.members[contact.id] = (contact.id,)
            self._memory.recent[contact.id] = ()

    def attach(self, known: KnownIdentity) -> None:
        """Insert an identity; a second insert of the same raises Conflict."""
        key = key_of(known.identity.account, known.identity.external_id)
        if self._memory.known.get(key) is not None:
            raise Conflict("the identity is known already")
        self._pending.identities[key] = known
        self._pending.waiting = True
        self._memory.known[key] = known

    def get(self, contact: ContactId) -> Contact:
        """Return a contact; raises NotFound."""
        return self._memory.contacts.get(contact) or super().get(contact)

    def lock(self, contact: ContactId) -> ContactId:
        """Hold the person; those who were gathered or are new are held already."""
        members = self._memory.members.get(contact)
        return super().lock(contact) if members is None else members[0]

    def members(self, contact: ContactId) -> tuple[ContactId, ...]:
        """Return every origin contact of the person, root first. Raises NotFound."""
        return self._memory.members.get(contact) or super().members(contact)

    def seen(
        self, identity: Identity, *, at: datetime, name: str = "", following: bool | None = None
    ) -> None:
        """Note that the identity was active; a non-empty name replaces the old one."""
        key = key_of(identity.account, identity.external_id)
        known = self._memory.known.get(key)
        if known is None:
            super().seen(identity, at=at, name=name, following=following)
            return
        now = replace(
            known,
            last_seen_at=max(known.last_seen_at, at),
            name=name or known.name,
            following=known.following if following is None else following,
        )
        self._memory.known[key] = now
        self._pending.waiting = True
        if key in self._pending.identities:
            self._pending.identities[key] = now
            return
        before = self._pending.seen.get(key)
        self._pending.seen[key] = {
            "account": identity.account,
            "external_id": identity.external_id,
            "last_seen_at": now.last_seen_at,
            "name": name or (before["name"] if before else ""),
            "following": before["following"] if before and following is None else following,
        }

    def add_claim(self, identity: Identity, claim: Claim, *, at: datetime) -> bool:
        """Return whether it is new, or newly verified; what is known needs no statement."""
        held = self._memory.claims.get(key_of(identity.account, identity.external_id), {})
        verified = held.get((claim.kind.value, claim.value))
        if verified or (verified is not None and not claim.verified):
            return False
        return super().add_claim(identity, claim, at=at)


class GatheredConversations(SqlConversations):
    """Conversations and interactions: what the deliveries concern from memory."""

    def __init__(self, watched: Watched, memory: Memory, pending: Pending) -> None:
        super().__init__(cast("Connection", watched))
        self._memory, self._pending = memory, pending

    def add(self, conversation: Conversation) -> None:
        """Insert; a second live conversation of one identity and thread raises Conflict."""
        live = self.live(conversation.account, conversation.external_id, conversation.thread)
        if live is not None and conversation.closed_at is None:
            raise Conflict("the identity has an open conversation in this thread")
        self._pending.opened[conversation.id] = conversation
        self._pending.waiting = True
        _remember(self._memory, conversation)
        recent = self._memory.recent.get(conversation.contact)
        if recent is not None:
            self._memory.recent[conversation.contact] = (conversation.id, *recent)

    def get(self, conversation: ConversationId) -> Conversation:
        """Return a conversation; raises NotFound."""
        held = self._memory.talks.get(conversation)
        return held or _remember(self._memory, super().get(conversation))

    def save(self, conversation: Conversation) -> Conversation:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        held = self._memory.talks.get(conversation.id)
        if held is None:
            return super().save(conversation)
        if held.version != conversation.version:
            raise Conflict(f"conversation {conversation.id} was changed meanwhile")
        now = replace(conversation, version=conversation.version + 1)
        self._memory.talks[now.id] = now
        self._pending.waiting = True
        if now.id in self._pending.opened:
            self._pending.opened[now.id] = now
        else:
            was = self._pending.changed.get(now.id)
            self._pending.changed[now.id] = (was[0] if was else held.version, now)
        return now

    def live(self, account: AccountName, external_id: str, thread: str) -> Conversation | None:
        """Return the open conversation of an identity in a thread."""
        threads = self._memory.live.get(key_of(account, external_id))
        if threads is None:
            found = super().live(account, external_id, thread)
            return None if found is None else _remember(self._memory, found)
        name = threads.get(thread)
        talk = None if name is None else self._memory.talks[name]
        return talk if talk is not None and talk.closed_at is None else None

    def in_thread(self, account: AccountName, thread: str) -> Conversation | None:
        """Return the latest conversation of a thread (a call), in whatever state."""
        found = super().in_thread(account, thread)
        return None if found is None else _remember(self._memory, found)

    def of(
        self, members: Collection[ContactId], *, open_only: bool = False, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """Return a person's conversations, newest first."""
        recent = [self._memory.recent.get(each) for each in members]
        if open_only or limit > _RECENT or None in recent:
            return super().of(members, open_only=open_only, limit=limit)
        talks = [self._memory.talks[name] for each in recent if each for name in each]
        return tuple(_newest_first(talks)[:limit])

    def append(
        self, interaction: Interaction, *, reply_handle: str = "", urgent: bool = False
    ) -> bool:
        """Insert; return False if (account, external id) stands on a timeline already."""
        key = key_of(interaction.account, interaction.external_id)
        if key not in self._memory.externals or interaction.sources:
            return super().append(interaction, reply_handle=reply_handle, urgent=urgent)
        if self._memory.externals[key] is not None:
            return False
        self._memory.externals[key] = interaction
        values = interaction_values(interaction, reply_handle)
        self._pending.said.append({**values, "urgent": urgent})
        self._pending.waiting = True
        return True

    def by_external(self, account: AccountName, external_id: str) -> Interaction | None:
        """Return the interaction that the platform knows by this id."""
        key = key_of(account, external_id)
        if key in self._memory.externals:
            return self._memory.externals[key]
        return super().by_external(account, external_id)

    def take_early(self, account: AccountName, target: str) -> tuple[EarlyChange, ...]:
        """Return and forget the kept changes of a message, oldest first."""
        if self._memory.early.get(key_of(account, target)) is False:
            return ()
        return super().take_early(account, target)


class GatheredOutbox(SqlOutbox):
    """Answers on their way out: windows are opened together."""

    def __init__(self, watched: Watched, pending: Pending) -> None:
        super().__init__(cast("Connection", watched))
        self._pending = pending

    def open_window(
        self,
        account: AccountName,
        external_id: str,
        *,
        source: str,
        kind: str,
        opened_at: datetime,
        closes_at: datetime,
        sends: int | None,
    ) -> None:
        """Open a reply window; the same source twice opens one."""
        row = {
            "account": account,
            "source": source,
            "external_id": external_id,
            "kind": kind,
            "opened_at": opened_at,
            "closes_at": closes_at,
            "sends_left": sends,
        }
        self._pending.windows.setdefault((account, source), row)
        self._pending.waiting = True


class GatheredJournal(SqlJournal):
    """What is kept beside the timelines: deliveries, wanted files and counts, written together."""

    def __init__(self, watched: Watched, pending: Pending) -> None:
        super().__init__(cast("Connection", watched))
        self._pending = pending

    def keep_delivery(self, delivery: RawDelivery) -> None:
        """Keep a delivery as it came."""
        self._pending.deliveries.append(delivery_values(delivery))
        self._pending.waiting = True

    def want_media(self, row: MediaRow) -> None:
        """Note that a file is to be fetched, or was brought."""
        self._pending.media.append({"id": row.id, **media_values(row)})
        self._pending.waiting = True

    def count(self, account: AccountName, kind: str, *, by: int = 1) -> None:
        """Count something that is not kept."""
        key = (account, kind)
        self._pending.counts[key] = self._pending.counts.get(key, 0) + by
        self._pending.waiting = True
