"""One transaction with its repositories, as services see it; `router.store` fulfils it.

What each repository is asked stands in `router.service.repository`. Nothing here awaits.
"""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from router.domain.events import Happened
from router.service.repository.complaints import Cases, Crises, FollowUps
from router.service.repository.help import BotTurns, Coached, Memory
from router.service.repository.journal import Journal
from router.service.repository.knowledge import Knowledge
from router.service.repository.mentioned import Mentioned
from router.service.repository.people import Contacts, Proposals
from router.service.repository.scripts import Ratings, Scripts
from router.service.repository.talk import Conversations, Corrections
from router.service.repository.work import Demands, Outbox, Workforce


class Unit(Protocol):
    """One transaction with its repositories. What is recorded is saved with it."""

    @property
    def contacts(self) -> Contacts: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def corrections(self) -> Corrections: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def follow_ups(self) -> FollowUps: ...
    @property
    def crises(self) -> Crises: ...
    @property
    def bot_turns(self) -> BotTurns: ...
    @property
    def coached(self) -> Coached: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def workforce(self) -> Workforce: ...
    @property
    def demands(self) -> Demands: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def knowledge(self) -> Knowledge: ...
    @property
    def scripts(self) -> Scripts: ...
    @property
    def ratings(self) -> Ratings: ...

    def new_id(self) -> str:
        """Return an id nobody has had; later ids sort after earlier ones."""

    def record(self, event: Happened, *, at: datetime) -> None:
        """Log ``event`` with this transaction; it is published after the commit."""

    def attempt(self, verb: Any, *args: Any) -> Any:
        """Run ``verb(unit, *args)`` in a savepoint; if it raises, only its writes are undone."""

    def gathered(self, mentioned: Mentioned) -> AbstractContextManager["Unit"]:
        """Look up once what is mentioned; what the inner unit writes is written at the end.

        Raises Conflict, perhaps at the end, if others have changed it meanwhile: then nothing of
        the inner unit must be kept.
        """
