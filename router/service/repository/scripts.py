"""The repository of scripts, the trials of their wordings, and where they were used."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from router.domain.ids import ContactId, ConversationId, ScriptId, TrialId
from router.domain.rating import Rating
from router.domain.script import Script
from router.domain.trial import ScriptUse, Trial


class Scripts(Protocol):
    """Scripts, trials and uses."""

    def all(self) -> tuple[Script, ...]:
        """Return every script by category and title."""

    def get(self, script: ScriptId) -> Script:
        """Raises NotFound."""

    def save(self, script: Script) -> Script:
        """Insert (version 0) or write if the version is the stored one; else raise Conflict."""

    def add_trial(self, trial: Trial) -> None:
        """Insert; a second running one of a script's place raises Conflict."""

    def trial(self, trial: TrialId) -> Trial:
        """Raises NotFound."""

    def save_trial(self, trial: Trial) -> Trial:
        """Write if the version is the stored one, else raise Conflict."""

    def trials(self, script: ScriptId) -> tuple[Trial, ...]:
        """Return a script's trials, newest first."""

    def running(self) -> tuple[Trial, ...]:
        """Return the trials that run."""

    def use(self, use: ScriptUse) -> bool:
        """Note a use; False if the answer's use is noted already."""

    def uses(self, trial: TrialId, *, limit: int = 100_000) -> tuple[ScriptUse, ...]:
        """Return the uses in a trial, oldest first."""

    def count_uses(self, script: ScriptId) -> int: ...
    def uses_in(self, conversations: Collection[ConversationId]) -> tuple[ScriptUse, ...]:
        """Return the uses in conversations, oldest first."""


class Ratings(Protocol):
    """The ratings that contacts are asked for after a conversation."""

    def add(self, rating: Rating) -> bool:
        """Insert; False if the conversation has one."""

    def save(self, rating: Rating) -> Rating:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""

    def due(self, at: datetime, *, limit: int = 50) -> tuple[Rating, ...]:
        """Return what is to be asked or given up and is looked at now, the oldest first."""

    def of(self, members: Collection[ContactId]) -> tuple[Rating, ...]:
        """Return a person's latest, newest first."""

    def about(self, conversations: Collection[ConversationId]) -> tuple[Rating, ...]:
        """Return those of conversations."""
