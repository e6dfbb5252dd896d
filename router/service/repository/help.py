"""What is asked of the repositories of who helps to answer.

Bots outside, the coach, and what colleagues remember of a person.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from router.domain.coach import Rule
from router.domain.ids import ContactId, ConversationId, InteractionId
from router.domain.remembered import Remembered
from router.service.botport import BotTurn


class BotTurns(Protocol):
    """Questions that were put to bots outside."""

    def add(self, turn: BotTurn) -> None:
        """Insert; raises Conflict if another daemon was first."""

    def save(self, turn: BotTurn) -> None:
        """Write it; raises NotFound."""

    def get(self, question: InteractionId) -> BotTurn | None:
        """Return the turn of a question, if it was put to a bot outside."""

    def spent_in(self, conversation: ConversationId) -> int:
        """Return the tokens of a conversation, those that are set aside included."""

    def spent_since(self, bot: str, since: datetime) -> int:
        """Return the tokens of a bot since a time; only one transaction at a time is told."""

    def asked_between(self, since: datetime, until: datetime) -> tuple[BotTurn, ...]:
        """Return the turns that began from ``since`` until before ``until``, oldest first."""

    def counts(self, since: datetime) -> Mapping[tuple[str, str, str], int]:
        """Return how many turns began since a time, by (bot, state, why)."""


class Coached(Protocol):
    """What became of the coach's hints."""

    def add(
        self,
        *,
        at: datetime,
        conversation: ConversationId,
        author: str,
        rule: Rule,
        outcome: str,
    ) -> None:
        """Count one hint: taken, or sent all the same."""

    def counts(self, since: datetime, until: datetime) -> Mapping[tuple[str, str], int]:
        """Return how many hints there were in that time, by (rule, outcome)."""


class Memory(Protocol):
    """What colleagues remember of a person."""

    def add(self, noted: Remembered) -> None: ...
    def get(self, noted: str) -> Remembered:
        """Return it, taken away or not; raises NotFound."""

    def save(self, noted: Remembered) -> Remembered:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""

    def of(self, members: Collection[ContactId]) -> tuple[Remembered, ...]:
        """Return what is remembered of a person and was not taken away, oldest first."""
