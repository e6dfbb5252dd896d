"""One transaction with its repositories: fulfils `router.service.unit.Unit` on a connection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy.engine import Connection

from router.domain.events import Happened, Logged
from router.service.ports import Clock, Ids
from router.service.repository.mentioned import Mentioned
from router.store.bots import SqlBotTurns
from router.store.cases import SqlCases
from router.store.coached import SqlCoached
from router.store.codec import dump
from router.store.contacts import SqlContacts
from router.store.conversations import SqlConversations
from router.store.corrections import SqlCorrections
from router.store.crises import SqlCrises
from router.store.demands import SqlDemands
from router.store.dialect import EVENT_LOCK, alone
from router.store.followups import SqlFollowUps
from router.store.gathered import (
    GatheredCases,
    GatheredContacts,
    GatheredConversations,
    GatheredFollowUps,
    GatheredJournal,
    GatheredOutbox,
    GatheredProposals,
)
from router.store.gathering import gather
from router.store.journal import SqlJournal
from router.store.knowledge import SqlKnowledge
from router.store.ledger import events
from router.store.outbox import SqlOutbox
from router.store.pending import Watched
from router.store.proposals import SqlProposals
from router.store.ratings import SqlRatings
from router.store.remembered import SqlRemembered
from router.store.scripts import SqlScripts
from router.store.sets import number_all
from router.store.workforce import SqlWorkforce

P = ParamSpec("P")
T = TypeVar("T")


class SqlUnit:
    """One transaction with its repositories. What is recorded is saved with it."""

    def __init__(self, connection: Connection, *, clock: Clock, ids: Ids) -> None:
        self._connection = connection
        self._clock, self._ids = clock, ids
        self._recorded: list[tuple[Happened, dict[str, Any]]] = []
        self.contacts = SqlContacts(connection)
        self.proposals = SqlProposals(connection)
        self.conversations = SqlConversations(connection)
        self.corrections = SqlCorrections(connection)
        self.cases = SqlCases(connection)
        self.follow_ups = SqlFollowUps(connection)
        self.crises = SqlCrises(connection)
        self.bot_turns = SqlBotTurns(connection)
        self.coached = SqlCoached(connection, ids)
        self.memory = SqlRemembered(connection)
        self.workforce = SqlWorkforce(connection)
        self.demands = SqlDemands(connection)
        self.outbox = SqlOutbox(connection)
        self.journal = SqlJournal(connection)
        self.knowledge = SqlKnowledge(connection)
        self.scripts = SqlScripts(connection)
        self.ratings = SqlRatings(connection)

    def now(self) -> datetime:
        """Return the time of the store's clock."""
        return self._clock.now()

    def new_id(self) -> str:
        """Return an id nobody has had; later ids sort after earlier ones."""
        return self._ids.new()

    def record(self, event: Happened, *, at: datetime) -> None:
        """Log ``event`` with this transaction; it is published after the commit."""
        values = {
            "at": at,
            "kind": event.kind,
            "contact_id": event.contact,
            "conversation_id": event.conversation,
            "case_id": event.case,
            "agent_id": event.agent,
            "facts": None if event.facts is None else dump(event.facts),
        }
        self._recorded.append((event, values))

    @property
    def has_recorded(self) -> bool:
        """Return whether there are events to flush."""
        return bool(self._recorded)

    def attempt(
        self, verb: Callable[Concatenate[Any, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``verb(unit, …)`` in a savepoint: if it raises, only what it did is undone."""
        before = len(self._recorded)
        done = False
        try:
            with self._connection.begin_nested():
                result = verb(self, *args, **kwargs)
            done = True
        finally:
            if not done:
                del self._recorded[before:]
        return result

    @contextmanager
    def gathered(self, mentioned: Mentioned) -> Iterator["SqlUnit"]:
        """Look up once what is mentioned; what is written inside is written together at the end."""
        memory, pending = gather(self._connection, mentioned)
        watched = Watched(pending, memory)
        inside = SqlUnit(cast("Connection", watched), clock=self._clock, ids=self._ids)
        inside._recorded = self._recorded
        inside.contacts = GatheredContacts(watched, memory, pending)
        inside.conversations = GatheredConversations(watched, memory, pending)
        inside.cases = GatheredCases(watched, memory)
        inside.proposals = GatheredProposals(watched, memory)
        inside.follow_ups = GatheredFollowUps(watched, memory)
        inside.outbox = GatheredOutbox(watched, pending)
        inside.journal = GatheredJournal(watched, pending)
        yield inside
        pending.flush()

    def flush_events(self) -> list[Logged]:
        """Write what was recorded and return it with its numbers.

        Call it last: on PostgreSQL no other transaction gets numbers from here to the commit, so
        that numbers grow in the order of commits.
        """
        if not self._recorded:
            return []
        alone(self._connection, EVENT_LOCK)
        rows = [values for _, values in self._recorded]
        numbers = number_all(self._connection, events, rows, by="seq")
        logged = [
            Logged(seq=seq, at=values["at"], event=event)
            for seq, (event, values) in zip(numbers, self._recorded, strict=True)
        ]
        self._recorded.clear()
        return logged
