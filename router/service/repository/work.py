"""The repositories of agents, and of answers on their way out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from router.channel.contract import Call, Token
from router.domain.forecast import Demand
from router.domain.ids import (
    AccountName,
    AgentId,
    ContactId,
    InteractionId,
    OutboxId,
    ReservationId,
)
from router.domain.workforce import Agent
from router.service.records import (
    ApiToken,
    Credentials,
    OpenWindow,
    OutboxRow,
    OutboxState,
    Reservation,
)


class Workforce(Protocol):
    """Agents, their sign-in, and reservations."""

    def add(self, agent: Agent, *, password_hash: str, must_change_password: bool) -> None:
        """Insert; a taken login raises Invalid."""

    def get(self, agent: AgentId) -> Agent:
        """Raises NotFound."""

    def by_login(self, login: str) -> Agent | None: ...
    def all(self) -> tuple[Agent, ...]:
        """Return every agent, inactive ones too, by name."""

    def names(self) -> Mapping[AgentId, str]:
        """Return the name of everybody who works or worked here."""

    def save(self, agent: Agent) -> Agent:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def lock(self, agent: AgentId) -> Agent:
        """Hold the agent against other transactions and return the current row."""

    def load(self, agent: AgentId, weights: Callable[[AccountName], float]) -> float:
        """Return the sum of weights (by account) of what takes of the agent's capacity now."""

    def credentials(self, agent: AgentId) -> Credentials: ...
    def set_password(
        self, agent: AgentId, password_hash: str, *, must_change: bool, end_sessions: bool
    ) -> None: ...
    def set_language(self, agent: AgentId, language: str) -> None: ...
    def end_sessions(self, agent: AgentId) -> None: ...
    def reserve(self, reservation: Reservation) -> None: ...
    def reservation(self, reservation: ReservationId) -> Reservation:
        """Raises NotFound."""

    def reservations(
        self, reservations: Collection[ReservationId]
    ) -> Mapping[ReservationId, Reservation]:
        """Return those of ``reservations`` that exist."""

    def end_reservation(self, reservation: ReservationId, *, how: str, at: datetime) -> None: ...
    def add_token(self, token: ApiToken, *, sha256: str) -> None: ...
    def token(self, sha256: str) -> ApiToken | None: ...
    def tokens(self, agent: AgentId) -> tuple[ApiToken, ...]: ...
    def used_token(self, token_id: str, *, at: datetime) -> None: ...
    def revoke_token(self, token_id: str, *, at: datetime) -> None: ...


class Outbox(Protocol):
    """Answers on their way out, reply windows and platform tokens."""

    def add(self, row: OutboxRow) -> None: ...
    def get(self, row: OutboxId) -> OutboxRow:
        """Raises NotFound."""

    def claim(
        self,
        *,
        by: str,
        now: datetime,
        until: datetime,
        limit: int,
        account: AccountName | None = None,
    ) -> tuple[OutboxRow, ...]:
        """Claim rows that are due, oldest first, never two of one recipient on one account.

        A row is due if it is queued and its time has come, and no older row of the same account and
        recipient is still queued or sending. Claimed rows become SENDING. With ``account`` only
        rows of that account are claimed.
        """

    def depart(self, row: OutboxId, *, by: str, until: datetime) -> bool:
        """Note that the row's next call leaves now, and keep the claim until ``until``.

        False if ``by`` does not hold the row any more: then nothing may be sent.
        """

    def release(self, row: OutboxId) -> None:
        """Back to QUEUED as it was before the claim; raises Conflict if a call may have left."""

    def encoded(self, row: OutboxId, calls: Sequence[Call]) -> None: ...
    def progressed(self, row: OutboxId, *, next_call: int) -> None: ...
    def defer(self, row: OutboxId, *, until: datetime, why: str, reason: str = "") -> None:
        """Back to QUEUED with one more attempt."""

    def settle(
        self, row: OutboxId, state: OutboxState, *, at: datetime, why: str = "", reason: str = ""
    ) -> None: ...
    def promotions(self, members: Collection[ContactId]) -> tuple[OutboxRow, ...]:
        """Return what is promotional, for these contacts, and has not left.

        Nobody claims it before this transaction is over.
        """

    def requeue(self, row: OutboxId, *, at: datetime) -> None:
        """A dead, refused or doubtful row is tried again from its next call."""

    def abandoned(self, *, now: datetime) -> tuple[OutboxRow, ...]:
        """Return SENDING rows whose claim has run out: their daemon died."""

    def next_due(self) -> datetime | None:
        """Return when the next queued row is due."""

    def due(self, accounts: Collection[AccountName]) -> Mapping[AccountName, datetime]:
        """Return, for each of ``accounts`` that has rows to send, when the next of them is due."""

    def waiting(self) -> frozenset[AccountName]:
        """Return the accounts that have queued rows."""

    def listed(self, states: Collection[OutboxState], *, limit: int = 200) -> tuple[OutboxRow, ...]:
        """Return rows in these states, newest first."""

    def counts(self) -> Mapping[str, int]:
        """Return how many rows stand in each state."""

    def remember_sent(
        self, account: AccountName, platform_id: str, interaction: InteractionId
    ) -> None: ...
    def sent(self, account: AccountName, platform_id: str) -> InteractionId | None: ...
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

    def windows(
        self, account: AccountName, external_id: str, *, at: datetime
    ) -> tuple[OpenWindow, ...]:
        """Return the windows that are open and have sends left, the first to close first."""

    def last_window(self, account: AccountName, external_id: str) -> OpenWindow | None:
        """Return the window that closes last, open or not."""

    def use_window(self, account: AccountName, source: str, *, sends: int) -> None:
        """Count sends against a window (negative: give them back)."""

    def close_windows(self, account: AccountName, external_id: str, *, at: datetime) -> None: ...
    def token(self, account: AccountName) -> Token | None: ...
    def keep_token(self, account: AccountName, token: Token | None) -> None:
        """Keep the account's platform token; None forgets it."""


class Demands(Protocol):
    """How many conversations of a kind needed a person, by quarter of an hour."""

    def add(self, each: Demand, *, time_of_day: int) -> None:
        """Add to the count of a quarter; ``time_of_day`` is its number in the shop's day."""

    def at_times(
        self, times: Collection[int], *, since: datetime, until: datetime
    ) -> tuple[Demand, ...]:
        """Return the counts of quarters at these times of day, oldest first."""

    def by_family(self, *, since: datetime, until: datetime) -> tuple[Demand, ...]:
        """Return the counts of whole channel families, oldest first."""

    def forget(self, *, before: datetime) -> int:
        """Delete counts of quarters before ``before``; return how many."""
