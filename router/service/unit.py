"""One transaction with its repositories, as services see it; `router.store` fulfils it.

Each method answers one question in the words of the caller. Nothing here awaits.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from router.channel.contract import Call, Token
from router.domain.case import Case
from router.domain.contact import Contact, MergeRecord
from router.domain.content import Content
from router.domain.conversation import Conversation
from router.domain.crisis import Crisis, Subject
from router.domain.events import Happened, Logged
from router.domain.evidence import Proposal
from router.domain.followup import FollowUp
from router.domain.identity import Claim, ClaimKind, Identity
from router.domain.ids import (
    AccountName,
    AgentId,
    CaseId,
    ContactId,
    ConversationId,
    InteractionId,
    MediaId,
    OutboxId,
    ReservationId,
)
from router.domain.reading import Reading
from router.domain.timeline import Interaction, Sending
from router.domain.workforce import Agent
from router.service.records import (
    Alert,
    ApiToken,
    Article,
    CaseLink,
    Credentials,
    DecisionRecord,
    EarlyChange,
    KnownClaim,
    KnownIdentity,
    Lease,
    MediaRow,
    OpenWindow,
    OutboxRow,
    OutboxState,
    RawDelivery,
    Reservation,
)


class Contacts(Protocol):
    """Persons, their identities, claims and merges."""

    def add(self, contact: Contact) -> None: ...
    def get(self, contact: ContactId) -> Contact:
        """Raises NotFound."""

    def save(self, contact: Contact) -> None:
        """Write name, language, vip and note; never the root."""

    def lock(self, contact: ContactId) -> ContactId:
        """Hold the person against other transactions; return the root (root rows locked)."""

    def members(self, contact: ContactId) -> tuple[ContactId, ...]:
        """Return every origin contact of the person that ``contact`` belongs to, root first."""

    def search(self, words: str, *, limit: int) -> tuple[Contact, ...]:
        """Return roots whose name, claim values or external ids contain ``words``, newest first."""

    def known(self, account: AccountName, external_id: str) -> KnownIdentity | None: ...
    def attach(self, known: KnownIdentity) -> None:
        """Insert an identity; a second insert of the same raises Conflict."""

    def seen(
        self, identity: Identity, *, at: datetime, name: str = "", following: bool | None = None
    ) -> None:
        """Note that the identity was active; a non-empty name replaces the old one."""

    def profile_asked(self, identity: Identity, *, at: datetime) -> None: ...
    def identities(self, members: Collection[ContactId]) -> tuple[KnownIdentity, ...]: ...
    def add_claim(self, identity: Identity, claim: Claim, *, at: datetime) -> bool:
        """Return whether it is new, or newly verified."""

    def claims(self, members: Collection[ContactId]) -> tuple[KnownClaim, ...]: ...
    def claimants(
        self, kind: ClaimKind, value: str, *, verified: bool = True
    ) -> tuple[ContactId, ...]:
        """Return the roots of persons of whom this is claimed, oldest contact first."""

    def record_merge(self, record: MergeRecord) -> None: ...
    def merge_record(self, record_id: str) -> MergeRecord:
        """Raises NotFound."""

    def undo_merge(self, record_id: str, *, at: datetime, by: str) -> None: ...
    def merges(self, members: Collection[ContactId]) -> tuple[MergeRecord, ...]:
        """Return all merges that name one of ``members``, undone ones too, oldest first."""

    def set_roots(self, roots: Mapping[ContactId, ContactId]) -> None: ...
    def case_version(self, contact: ContactId) -> int:
        """Return the root's counter of changes to the person's cases."""

    def bump_case_version(self, contact: ContactId) -> None:
        """Count one more change to the cases of the person (on the root)."""


class Proposals(Protocol):
    """What is probably true: that two contacts are one person."""

    def add(self, proposal: Proposal) -> bool:
        """Insert; return False if the same was proposed before, whatever became of it."""

    def get(self, proposal: str) -> Proposal:
        """Raises NotFound."""

    def open_of(self, members: Collection[ContactId]) -> tuple[Proposal, ...]:
        """Return what is proposed of a person and undecided, strongest first."""

    def decide(self, proposal: str, *, state: str, by: str, at: datetime) -> None:
        """Accept or reject; raises Conflict if somebody else was first."""


class Conversations(Protocol):
    """Conversations and the interactions in them."""

    def add(self, conversation: Conversation) -> None:
        """Insert; a second live conversation of one identity and thread raises Conflict."""

    def get(self, conversation: ConversationId) -> Conversation:
        """Raises NotFound."""

    def save(self, conversation: Conversation) -> Conversation:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def live(self, account: AccountName, external_id: str, thread: str) -> Conversation | None:
        """Return the open conversation of an identity in a thread."""

    def in_thread(self, account: AccountName, thread: str) -> Conversation | None:
        """Return the latest conversation of a thread (a call), in whatever state."""

    def open(self) -> tuple[Conversation, ...]:
        """Return every conversation that is not closed, oldest first."""

    def held_by(self, agent: AgentId) -> tuple[Conversation, ...]:
        """Return what stands on an agent's desk: offered, in hand, wrap-up, parked."""

    def of(
        self, members: Collection[ContactId], *, open_only: bool = False, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """Return a person's conversations, newest first."""

    def closed_between(self, since: datetime, until: datetime) -> tuple[Conversation, ...]: ...

    def append(self, interaction: Interaction, *, reply_handle: str = "") -> bool:
        """Insert; return False if (account, external id) stands on a timeline already."""

    def interaction(self, interaction: InteractionId) -> Interaction:
        """Raises NotFound."""

    def by_external(self, account: AccountName, external_id: str) -> Interaction | None: ...
    def rewrite(
        self,
        interaction: InteractionId,
        *,
        content: Content,
        edited_at: datetime | None,
        final: bool = True,
        unread: bool = True,
    ) -> None:
        """Replace what it says: an edit, or a call segment's later version."""

    def recall(self, interaction: InteractionId, *, at: datetime) -> None: ...
    def set_sending(
        self, interaction: InteractionId, sending: Sending, *, why: str = ""
    ) -> None: ...
    def store_media(self, interaction: InteractionId, content: Content) -> None:
        """Replace the content after its media was fetched; not an edit, not unread again."""

    def unread(self, *, limit: int) -> tuple[Interaction, ...]:
        """Return what no reader has seen, oldest first."""

    def unread_of(self, members: Collection[ContactId]) -> int:
        """Return how many interactions of the person no reader has seen."""

    def mark_read(self, interaction: InteractionId, reading: Reading) -> None: ...
    def timeline(
        self,
        members: Collection[ContactId],
        *,
        before: tuple[datetime, InteractionId] | None = None,
        limit: int = 50,
        words: str = "",
    ) -> tuple[Interaction, ...]:
        """Return a page of a person's timeline, newest first; ``before`` pages by key."""

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

    def last_reply_handle(self, conversation: ConversationId) -> tuple[str, str]:
        """Return (reply handle, external id) of the contact's last interaction, or empty."""

    def keep_early(self, account: AccountName, external_id: str, change: EarlyChange) -> bool:
        """Keep a change whose message has not come; False if this change is kept already."""

    def take_early(self, account: AccountName, target: str) -> tuple[EarlyChange, ...]:
        """Return and forget the kept changes of a message, oldest first."""


class Cases(Protocol):
    """Complaint cases."""

    def add(self, case: Case) -> None: ...
    def get(self, case: CaseId) -> Case:
        """Raises NotFound."""

    def save(self, case: Case) -> Case:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def open_of(self, members: Collection[ContactId]) -> tuple[Case, ...]:
        """Return a person's open cases, worst first, then oldest."""

    def of(self, members: Collection[ContactId], *, limit: int = 100) -> tuple[Case, ...]:
        """Return all cases of a person, open ones first, then newest."""

    def all_open(self, *, limit: int = 500) -> tuple[Case, ...]:
        """Return open cases, the next due first."""

    def overdue(self, at: datetime, *, limit: int = 100) -> tuple[Case, ...]: ...
    def resolved_since(
        self, members: Collection[ContactId], since: datetime
    ) -> tuple[Case, ...]: ...
    def opened_between(
        self, since: datetime, until: datetime, *, limit: int = 5000
    ) -> tuple[Case, ...]:
        """Return cases that were opened after ``since`` and not after ``until``, oldest first."""

    def count_about(self, topic: str, since: datetime, until: datetime) -> int:
        """Count cases of a topic that were opened after ``since`` and not after ``until``."""

    def count_saying(self, words: Collection[str], since: datetime, until: datetime) -> int:
        """Count cases opened in that time whose customer's words have one of ``words``."""

    def link(self, link: CaseLink) -> bool:
        """Join an interaction to a case; False if it was."""

    def links(self, case: CaseId) -> tuple[CaseLink, ...]:
        """Return what belongs to the case, oldest first."""

    def open_of_persons(
        self, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[Case, ...]]:
        """Return, for each given contact (origin or root), the open cases of the whole person."""


class FollowUps(Protocol):
    """The questions that follow a resolution."""

    def add(self, follow_up: FollowUp) -> None: ...
    def save(self, follow_up: FollowUp) -> FollowUp:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def due(self, at: datetime, *, limit: int = 50) -> tuple[FollowUp, ...]:
        """Return what is to be asked and is looked at again now, the longest waiting first."""

    def waiting(self, members: Collection[ContactId]) -> tuple[FollowUp, ...]:
        """Return a person's follow-ups that are due or asked, oldest first."""

    def of(self, case: CaseId) -> tuple[FollowUp, ...]:
        """Return a case's follow-ups, oldest first."""


class Crises(Protocol):
    """Bursts of complaints and the statements about them."""

    def add(self, crisis: Crisis) -> bool:
        """Insert; return False if there is a crisis on this subject already."""

    def get(self, crisis: str) -> Crisis:
        """Raises NotFound."""

    def save(self, crisis: Crisis) -> Crisis:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def live(self) -> tuple[Crisis, ...]:
        """Return those that are not over, oldest first."""

    def ended(self, *, limit: int = 50) -> tuple[Crisis, ...]:
        """Return those that are over, newest first."""

    def last_on(self, subject: Subject) -> Crisis | None:
        """Return the latest crisis on a subject, over or not."""


class Workforce(Protocol):
    """Agents, their sign-in, and reservations."""

    def add(self, agent: Agent, *, password_hash: str, must_change_password: bool) -> None:
        """Insert; a taken login raises Invalid."""

    def get(self, agent: AgentId) -> Agent:
        """Raises NotFound."""

    def by_login(self, login: str) -> Agent | None: ...
    def all(self) -> tuple[Agent, ...]:
        """Return every agent, inactive ones too, by name."""

    def save(self, agent: Agent) -> Agent:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def lock(self, agent: AgentId) -> Agent:
        """Hold the agent against other transactions and return the current row."""

    def load(self, agent: AgentId, weights: Mapping[str, float]) -> float:
        """Return the sum of weights (by channel name) of what the agent holds now."""

    def credentials(self, agent: AgentId) -> Credentials: ...
    def set_password(
        self, agent: AgentId, password_hash: str, *, must_change: bool, end_sessions: bool
    ) -> None: ...
    def set_language(self, agent: AgentId, language: str) -> None: ...
    def end_sessions(self, agent: AgentId) -> None: ...
    def reserve(self, reservation: Reservation) -> None: ...
    def reservation(self, reservation: ReservationId) -> Reservation:
        """Raises NotFound."""

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


class Journal(Protocol):
    """The event log, decisions, alerts, raw deliveries, cursors, media, articles, leases."""

    def seq(self) -> int:
        """Return the number of the last event that this transaction can see (0: none)."""

    def events_since(self, seq: int, *, limit: int = 1000) -> tuple[Logged, ...]: ...
    def history(
        self,
        *,
        conversation: ConversationId | None = None,
        contact: ContactId | None = None,
        case: CaseId | None = None,
        limit: int = 200,
    ) -> tuple[tuple[datetime, Logged], ...]:
        """Return when and what happened to a thing, oldest first (the latest ``limit``)."""

    def decide(self, record: DecisionRecord) -> None: ...
    def decisions(
        self, conversation: ConversationId, *, limit: int = 50
    ) -> tuple[DecisionRecord, ...]:
        """Return the decisions on a conversation, newest first."""

    def decision(self, decision: str) -> DecisionRecord:
        """Raises NotFound."""

    def alert(self, alert: Alert) -> None: ...
    def alerts(self, agent: AgentId, *, supervisor: bool, limit: int = 50) -> tuple[Alert, ...]:
        """Return alerts not yet seen: the agent's, and for supervisors those to all of them."""

    def see_alert(self, alert: str, *, by: AgentId, at: datetime) -> None: ...
    def keep_delivery(self, delivery: RawDelivery) -> None: ...
    def delivery(self, delivery: str) -> RawDelivery:
        """Raises NotFound."""

    def deliveries(self, *, state: str, limit: int = 100) -> tuple[RawDelivery, ...]: ...
    def mark_delivery(self, delivery: str, *, state: str, why: str = "") -> None: ...
    def forget_deliveries(self, *, before: datetime) -> int:
        """Delete taken raw deliveries older than ``before``; return how many."""

    def count(self, account: AccountName, kind: str, *, by: int = 1) -> None: ...
    def counts(self) -> Mapping[tuple[AccountName, str], int]: ...
    def ring(self, account: AccountName, key: str, *, hint: str) -> None:
        """Note that something is to be pulled."""

    def ringing(self, *, limit: int = 50) -> tuple[tuple[AccountName, str, str, str], ...]:
        """Return (account, key, cursor, hint) of what is to be pulled."""

    def pulled(self, account: AccountName, key: str, *, cursor: str, more: bool) -> None: ...
    def want_media(self, row: MediaRow) -> None: ...
    def media(self, media: MediaId) -> MediaRow:
        """Raises NotFound."""

    def wanted_media(self, *, now: datetime, limit: int) -> tuple[MediaRow, ...]: ...
    def save_media(self, row: MediaRow) -> None: ...
    def articles(self, *, published_only: bool) -> tuple[Article, ...]: ...
    def article(self, article: str) -> Article:
        """Raises NotFound."""

    def save_article(self, article: Article) -> None:
        """Insert (version 0) or write if the version is the stored one; else raise Conflict."""

    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take or keep a lease; None if somebody else holds it. A new holder gets a new fence."""

    def leased(self, name: str) -> Lease | None: ...
    def release_lease(self, name: str, *, holder: str) -> None: ...
    def meta(self, key: str) -> str | None: ...
    def set_meta(self, key: str, value: str) -> None: ...


class Unit(Protocol):
    """One transaction with its repositories. What is recorded is saved with it."""

    @property
    def contacts(self) -> Contacts: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def follow_ups(self) -> FollowUps: ...
    @property
    def crises(self) -> Crises: ...
    @property
    def workforce(self) -> Workforce: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def journal(self) -> Journal: ...

    def new_id(self) -> str:
        """Return an id nobody has had; later ids sort after earlier ones."""

    def record(self, event: Happened, *, at: datetime) -> None:
        """Log ``event`` with this transaction; it is published after the commit."""

    def attempt(self, verb: Any, *args: Any) -> Any:
        """Run ``verb(unit, *args)`` in a savepoint; if it raises, only its writes are undone."""
