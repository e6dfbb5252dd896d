"""The repository of conversations and the interactions in them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from router.domain.content import Content
from router.domain.conversation import Conversation
from router.domain.ids import (
    AccountName,
    AgentId,
    ChannelName,
    ContactId,
    ConversationId,
    InteractionId,
)
from router.domain.reading import Reading
from router.domain.timeline import Interaction, Sending
from router.service.records import Correction, EarlyChange, Ended, Place


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

    def some(self, conversations: Collection[ConversationId]) -> tuple[Conversation, ...]:
        """Return those of ``conversations`` that exist, in the order of their ids."""

    def places(self, conversations: Collection[ConversationId]) -> Mapping[ConversationId, Place]:
        """Return where those of ``conversations`` stand that exist."""

    def with_bot(self) -> tuple[Conversation, ...]:
        """Return what a bot has in hand and must answer: all is read, the contact waits."""

    def in_state(self, *states: type) -> tuple[Conversation, ...]:
        """Return open conversations whose state is one of ``states``, oldest first."""

    def unanswered(self, channel: ChannelName, *, before: datetime) -> tuple[Conversation, ...]:
        """Return who waits on a channel since ``before`` or earlier, and no alarm was raised.

        Oldest first, open conversations only.
        """

    def open_of_persons(self, contacts: Collection[ContactId]) -> tuple[ConversationId, ...]:
        """Return the open conversations of the persons to whom ``contacts`` belong."""

    def open(self) -> tuple[Conversation, ...]:
        """Return every conversation that is not closed, oldest first."""

    def count(self) -> int:
        """Return how many there have ever been."""

    def held_by(self, agent: AgentId) -> tuple[Conversation, ...]:
        """Return what stands on an agent's desk: offered, in hand, wrap-up, parked."""

    def of(
        self, members: Collection[ContactId], *, open_only: bool = False, limit: int = 100
    ) -> tuple[Conversation, ...]:
        """Return a person's conversations, newest first."""

    def closed_between(self, since: datetime, until: datetime) -> tuple[Conversation, ...]: ...

    def ended_between(self, since: datetime, until: datetime) -> tuple[Ended, ...]:
        """Return what was closed from ``since`` until just before ``until``, oldest first."""

    def readings_in(
        self, conversations: Collection[ConversationId]
    ) -> Mapping[ConversationId, tuple[Reading, ...]]:
        """Return what was understood of the contact's words in each, in their order."""

    def append(
        self, interaction: Interaction, *, reply_handle: str = "", urgent: bool = False
    ) -> bool:
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
        urgent: bool = False,
    ) -> None:
        """Replace what it says: an edit, or a call segment's later version."""

    def recall(self, interaction: InteractionId, *, at: datetime) -> None: ...
    def set_sending(
        self, interaction: InteractionId, sending: Sending, *, why: str = ""
    ) -> None: ...
    def store_media(self, interaction: InteractionId, content: Content) -> None:
        """Replace the content after its media was fetched; not an edit, not unread again."""

    def unread(self, *, limit: int, besides: Collection[ContactId] = ()) -> tuple[Interaction, ...]:
        """Return what no reader has seen, oldest first, but nothing of ``besides``."""

    def unread_by(self, contacts: Collection[ContactId], *, limit: int) -> tuple[Interaction, ...]:
        """Return what these contacts said and no reader has seen, oldest first."""

    def urgent(self, *, limit: int, besides: Collection[ContactId] = ()) -> tuple[ContactId, ...]:
        """Return who said something that cannot wait and that no reader has seen."""

    def unread_of(self, members: Collection[ContactId]) -> int:
        """Return how many interactions of the person no reader has seen."""

    def unread_of_persons(self, contacts: Collection[ContactId]) -> Mapping[ContactId, int]:
        """Return, for each given contact (origin or root), what `unread_of` says of the person."""

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

    def latest_in(
        self, conversations: Collection[ConversationId], *, limit: int
    ) -> Mapping[ConversationId, tuple[Interaction, ...]]:
        """Return the last ``limit`` interactions of each, in order of seq."""

    def last_words(
        self, conversations: Collection[ConversationId], *, among: int
    ) -> Mapping[ConversationId, str]:
        """Return the contact's last words in each, found in its last ``among`` interactions."""

    def last_reply_handle(self, conversation: ConversationId) -> tuple[str, str]:
        """Return (reply handle, external id) of the contact's last interaction, or empty."""

    def keep_early(self, account: AccountName, external_id: str, change: EarlyChange) -> bool:
        """Keep a change whose message has not come; False if this change is kept already."""

    def take_early(self, account: AccountName, target: str) -> tuple[EarlyChange, ...]:
        """Return and forget the kept changes of a message, oldest first."""


class Corrections(Protocol):
    """Readings that colleagues corrected, kept as labelled examples."""

    def add(self, correction: Correction) -> None: ...
    def newest(self, *, before: str = "", limit: int = 100) -> tuple[Correction, ...]:
        """Return a page, newest first; ``before`` is the id of the last one of the page before."""
