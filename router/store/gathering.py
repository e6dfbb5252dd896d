"""Looks up once what a transaction for many deliveries or readings will ask (see `gathered`).

On PostgreSQL the persons are locked first and looked at afterwards, so that nobody changes them
meanwhile; then their conversations.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from router.domain.conversation import Conversation
from router.domain.followup import FollowUpState
from router.domain.ids import AccountName, ContactId, InteractionId
from router.service.ports import Conflict
from router.service.repository.mentioned import Mentioned
from router.store.aftermath import follow_ups
from router.store.cases import SqlCases
from router.store.contacts import as_contact, as_known
from router.store.conversations import as_conversation
from router.store.pending import Memory, Pending, key_of
from router.store.sets import Among, ask_all, by_keys
from router.store.tables import (
    claims,
    contacts,
    conversations,
    early_changes,
    identities,
    proposals,
)
from router.store.tables import interactions as said
from router.store.timeline import as_interaction

#: How many of a person's conversations are remembered; who asks for more is told by the tables.
RECENT = 5

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


def _open_among(among: Among, side: "sa.Column[str]") -> "sa.Select[Any]":
    return sa.select(side).where(among(side), proposals.c.state == "open")


_THESE = by_keys(lambda among: sa.select(said).where(among(said.c.id)))
_TALKS = by_keys(
    lambda among: (
        sa.select(conversations)
        .where(among(conversations.c.id))
        .order_by(conversations.c.id)
        .with_for_update()
    )
)
_ONE = by_keys(lambda among: _open_among(among, proposals.c.one_id))
_OTHER = by_keys(lambda among: _open_among(among, proposals.c.other_id))
_ASKED = by_keys(
    lambda among: sa.select(follow_ups.c.contact_id).where(
        among(follow_ups.c.contact_id),
        follow_ups.c.state.in_((FollowUpState.DUE.value, FollowUpState.ASKED.value)),
    )
)


def _recent(among: Among) -> "sa.Select[Any]":
    order = (conversations.c.opened_at.desc(), conversations.c.id.desc())
    place = sa.func.row_number().over(partition_by=conversations.c.contact_id, order_by=order)
    placed = sa.select(conversations, place.label("place")).where(among(conversations.c.contact_id))
    inner = placed.subquery()
    return sa.select(inner).where(inner.c.place <= RECENT)


_LATEST = by_keys(_recent)


def gather(connection: Connection, mentioned: Mentioned) -> tuple[Memory, Pending]:
    """Look up whom and what deliveries name; the persons are held until the transaction ends."""
    memory, pending = Memory(), Pending(connection)
    senders = _by_account(mentioned.identities)
    for account, names in senders.items():
        _senders(connection, memory, account, names, claims_too=mentioned.claims)
    _persons(connection, memory, frozenset(mentioned.said.values()))
    for account, names in _by_account(mentioned.externals).items():
        _events(connection, memory, account, names)
    for account, names in senders.items():
        for row in ask_all(connection, _LIVE, names, of_account=account):
            remember(memory, as_conversation(row))
    _latest(connection, memory)
    if mentioned.said:
        _understood(connection, memory, mentioned)
    return memory, pending


def _senders(
    connection: Connection,
    memory: Memory,
    account: AccountName,
    names: Sequence[str],
    *,
    claims_too: bool,
) -> None:
    for name in names:
        key = key_of(account, name)
        memory.known[key], memory.claims[key], memory.live[key] = None, {}, {}
    for row in ask_all(connection, _KNOWN, names, of_account=account):
        memory.known[account, row["external_id"]] = as_known(row)
    for row in ask_all(connection, _CLAIMS, names, of_account=account) if claims_too else ():
        memory.claims[account, row["external_id"]][row["kind"], row["value"]] = row["verified"]


def _events(
    connection: Connection, memory: Memory, account: AccountName, names: Sequence[str]
) -> None:
    memory.externals.update((key_of(account, name), None) for name in names)
    memory.early.update((key_of(account, name), False) for name in names)
    for row in ask_all(connection, _SAID, names, of_account=account):
        memory.externals[account, row["external_id"]] = as_interaction(row)
    for row in ask_all(connection, _EARLY, names, of_account=account):
        memory.early[account, row["target"]] = True


def _understood(connection: Connection, memory: Memory, mentioned: Mentioned) -> None:
    """Look up what was read, where it was said, and what is known of the persons' complaints."""
    for row in ask_all(connection, _THESE, sorted(mentioned.said)):
        memory.said[InteractionId(row["id"])] = as_interaction(row)
    talks = sorted({each.conversation for each in memory.said.values()})
    for row in ask_all(connection, _TALKS, talks):
        remember(memory, as_conversation(row))
    everybody = sorted(memory.members)
    roots = sorted({members[0] for members in memory.members.values()})
    memory.complaints.update(SqlCases(connection).open_of_persons(roots))
    one = {row["one_id"] for row in ask_all(connection, _ONE, everybody)}
    other = {row["other_id"] for row in ask_all(connection, _OTHER, everybody)}
    memory.proposed.update((each, each in one | other) for each in everybody)
    waiting = {row["contact_id"] for row in ask_all(connection, _ASKED, everybody)}
    memory.asked.update((each, each in waiting) for each in everybody)


def _by_account(keys: Iterable[tuple[AccountName, str]]) -> dict[AccountName, list[str]]:
    found: dict[AccountName, list[str]] = {}
    for account, name in sorted(keys):
        found.setdefault(account, []).append(name)
    return found


def _persons(connection: Connection, memory: Memory, others: frozenset[ContactId]) -> None:
    """Hold every person who is named; raises Conflict if two were made one meanwhile."""
    named = {each.contact for each in memory.known.values() if each is not None}
    origins = sorted(named | others)
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
    if not memory.contacts.keys() >= named:
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
        memory.recent[contact] = tuple(each.id for each in newest_first(talks))


def newest_first(talks: Iterable[Conversation]) -> list[Conversation]:
    """Return conversations as lists of a person's show them."""
    return sorted(talks, key=lambda each: (each.opened_at, each.id), reverse=True)


def remember(memory: Memory, talk: Conversation) -> Conversation:
    """Keep a conversation, and that it is open here if it is."""
    memory.talks[talk.id] = talk
    held = memory.live.get(key_of(talk.account, talk.external_id))
    if held is not None and talk.closed_at is None:
        held[talk.thread] = talk.id
    return talk
