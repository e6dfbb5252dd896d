"""A transaction for many deliveries: asks once about all of them, and writes once for all of them.

The verbs are the same as for one delivery. What they will ask is looked up beforehand for everybody
whom the deliveries name (`router.store.gathering`), and answered from memory, as it will be once
what is pending is written (`router.store.pending`). Whatever else they ask goes to the tables.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import cast

from sqlalchemy.engine import Connection

from router.domain.case import Case
from router.domain.changed import changed
from router.domain.contact import Contact
from router.domain.conversation import Conversation
from router.domain.evidence import Proposal
from router.domain.followup import FollowUp
from router.domain.identity import Claim, Identity
from router.domain.ids import AccountName, ContactId, ConversationId, InteractionId
from router.domain.reading import Reading
from router.domain.timeline import Interaction
from router.service.ports import Conflict
from router.service.records import EarlyChange, KnownIdentity, MediaRow, RawDelivery
from router.store.cases import SqlCases
from router.store.codec import dump
from router.store.contacts import SqlContacts, contact_values
from router.store.conversations import SqlConversations
from router.store.followups import SqlFollowUps
from router.store.gathering import RECENT, newest_first, remember
from router.store.journal import SqlJournal
from router.store.outbox import SqlOutbox
from router.store.pending import Memory, Pending, Watched, key_of
from router.store.proposals import SqlProposals
from router.store.timeline import interaction_values
from router.store.upkeep import delivery_values, media_values


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

    def bump_case_version(self, contact: ContactId) -> None:
        """Count one more change to the cases of the person; nothing that is remembered."""
        self._pending.flush()
        SqlContacts(self._pending.connection).bump_case_version(contact)

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
        now = changed(
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
        remember(self._memory, conversation)
        recent = self._memory.recent.get(conversation.contact)
        if recent is not None:
            self._memory.recent[conversation.contact] = (conversation.id, *recent)

    def get(self, conversation: ConversationId) -> Conversation:
        """Return a conversation; raises NotFound."""
        held = self._memory.talks.get(conversation)
        return held or remember(self._memory, super().get(conversation))

    def save(self, conversation: Conversation) -> Conversation:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        held = self._memory.talks.get(conversation.id)
        if held is None:
            return super().save(conversation)
        if held.version != conversation.version:
            raise Conflict(f"conversation {conversation.id} was changed meanwhile")
        now = changed(conversation, version=conversation.version + 1)
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
            return None if found is None else remember(self._memory, found)
        name = threads.get(thread)
        talk = None if name is None else self._memory.talks[name]
        return talk if talk is not None and talk.closed_at is None else None

    def in_thread(self, account: AccountName, thread: str) -> Conversation | None:
        """Return the latest conversation of a thread (a call), in whatever state."""
        found = super().in_thread(account, thread)
        return None if found is None else remember(self._memory, found)

    def of(
        self, members: Collection[ContactId], *, open_only: bool = False, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """Return a person's conversations, newest first."""
        recent = [self._memory.recent.get(each) for each in members]
        if open_only or limit > RECENT or None in recent:
            return super().of(members, open_only=open_only, limit=limit)
        talks = [self._memory.talks[name] for each in recent if each for name in each]
        return tuple(newest_first(talks)[:limit])

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

    def interaction(self, interaction: InteractionId) -> Interaction:
        """Return an interaction; raises NotFound."""
        return self._memory.said.get(interaction) or super().interaction(interaction)

    def mark_read(self, interaction: InteractionId, reading: Reading) -> None:
        """Keep what a reader understood. Raises NotFound."""
        held = self._memory.said.get(interaction)
        if held is None:
            super().mark_read(interaction, reading)
            return
        self._memory.said[interaction] = replace(held, reading=reading, unread=False)
        row = {"id": interaction, "reading": dump(reading), "unread": False}
        self._pending.read[interaction] = row
        self._pending.waiting = True

    def take_early(self, account: AccountName, target: str) -> tuple[EarlyChange, ...]:
        """Return and forget the kept changes of a message, oldest first."""
        if self._memory.early.get(key_of(account, target)) is False:
            return ()
        return super().take_early(account, target)


class GatheredCases(SqlCases):
    """Complaint cases: whether the persons have any is remembered."""

    def __init__(self, watched: Watched, memory: Memory) -> None:
        super().__init__(cast("Connection", watched))
        self._memory = memory

    def open_of(self, members: Collection[ContactId]) -> tuple[Case, ...]:
        """Return a person's open cases, worst first, then oldest."""
        for each in members:
            if each in self._memory.complaints and self._memory.members.get(each) == tuple(members):
                return self._memory.complaints[each]
        return super().open_of(members)


class GatheredProposals(SqlProposals):
    """What is probably true: whether anything is proposed of the persons is remembered."""

    def __init__(self, watched: Watched, memory: Memory) -> None:
        super().__init__(cast("Connection", watched))
        self._memory = memory

    def open_of(self, members: Collection[ContactId]) -> tuple[Proposal, ...]:
        """Return what is proposed of a person and undecided, strongest first."""
        if all(self._memory.proposed.get(each) is False for each in members):
            return ()
        return super().open_of(members)


class GatheredFollowUps(SqlFollowUps):
    """The questions that follow a resolution: whether any waits is remembered."""

    def __init__(self, watched: Watched, memory: Memory) -> None:
        super().__init__(cast("Connection", watched))
        self._memory = memory

    def waiting(self, members: Collection[ContactId]) -> tuple[FollowUp, ...]:
        """Return a person's follow-ups that are due or asked, oldest first."""
        if all(self._memory.asked.get(each) is False for each in members):
            return ()
        return super().waiting(members)


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
