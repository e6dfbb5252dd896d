"""What a bot is to the router: which kinds there are, what one is asked, and what it may answer.

The calls themselves are made in `router.bots`; who is asked when, and whether what it says may be
said, is decided in `router.service.turns`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from router.domain.article import Publication
from router.domain.content import Option
from router.domain.ids import AccountName, ConversationId, InteractionId, QueueName
from router.domain.knowledge import Candidate

#: The name of the bot that is always there.
BUILT_IN = "built_in"


class BotKind(StrEnum):
    """How a bot is spoken with."""

    MODEL = "model"  # chat completions, as OpenAI's API has them
    RASA = "rasa"  # Rasa's REST channel
    WEBHOOK = "webhook"  # a signed call of the shop's own


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSpec:
    """A bot of bot.toml.

    ``time_limit`` is for one answer. ``any_question`` gives it also what no article answers;
    ``fallback`` lets the built-in bot try where this one fails. Tokens are counted for models:
    ``answer_tokens`` is the most of one answer, the others are limits of what is spent, prompts
    included. ``secret`` is the key, token or signing secret.
    """

    name: str
    kind: BotKind
    url: str
    time_limit: timedelta
    any_question: bool
    fallback: bool
    secret: str = field(default="", repr=False)
    model: str = ""
    structured: str = "json_schema"
    articles: int = 5
    answer_tokens: int = 400
    conversation_tokens: int = 40_000
    day_tokens: int = 2_000_000

    @property
    def repeatable(self) -> bool:
        """Say whether the same turn can be asked twice without harm: Rasa would hear it twice."""
        return self.kind is not BotKind.RASA


@dataclass(frozen=True, slots=True, kw_only=True)
class BotChoice:
    """Which bot answers: the shop's, unless the account or the queue has one of its own.

    ``writer`` is the model that sums up handovers; empty: none does.
    """

    specs: Mapping[str, BotSpec] = field(default_factory=dict)
    shop: str = BUILT_IN
    accounts: Mapping[AccountName, str] = field(default_factory=dict)
    queues: Mapping[QueueName, str] = field(default_factory=dict)
    writer: str = ""

    def name_for(self, account: AccountName, queue: QueueName) -> str:
        """Return the name of the bot that answers there."""
        return self.accounts.get(account) or self.queues.get(queue) or self.shop

    def spec_for(self, account: AccountName, queue: QueueName) -> BotSpec | None:
        """Return the bot that answers there; None is the built-in one."""
        return self.specs.get(self.name_for(account, queue))

    def takes_any(self, account: AccountName) -> bool:
        """Say whether the account's bot is given also what no article answers."""
        spec = self.specs.get(self.accounts.get(account) or self.shop)
        return spec is not None and spec.any_question


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was said in the conversation, with private numbers masked.

    ``by`` is contact, bot, agent or system.
    """

    by: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One turn as a bot is told of it: nothing of the person but what was said in here.

    ``payload`` is that of a pressed button. ``articles`` are what a search for the question found.
    """

    conversation: ConversationId
    question: InteractionId
    channel: str
    account: AccountName
    language: str
    text: str
    payload: str
    said: tuple[Line, ...]
    articles: tuple[Publication, ...]
    candidates: tuple[Candidate, ...]
    turns: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What an answer cost, in tokens."""

    asked: int = 0
    told: int = 0

    @property
    def total(self) -> int:
        return self.asked + self.told


#: What costs nothing, or was not counted.
NOTHING = Spent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a bot wants: to say something, to ask back, or to hand over.

    ``ask`` are articles to choose between; ``options`` are buttons of its own making. Without
    ``text``, ``ask`` and ``options`` it hands over, as it does with ``hand_over``.
    """

    text: str = ""
    articles: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    hand_over: bool = False
    spent: Spent = NOTHING


class BotFailed(Exception):
    """The bot gave no answer that can be used. ``code`` says why, in one stable word."""

    def __init__(self, code: str, *, spent: Spent | None = None) -> None:
        super().__init__(code)
        self.code, self.spent = code, spent or NOTHING


class Bot(Protocol):
    """Somebody outside who answers."""

    @property
    def spec(self) -> BotSpec: ...

    async def answer(self, asked: Asked) -> Told:
        """Answer one turn; raises BotFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotTurn:
    """One question that was put to a bot outside, as it is remembered.

    ``state`` is asked, then said, handed_over, failed, refused (what it told may not be said) or
    overtaken. ``until`` is when nobody can be waiting for the answer any more. Tokens are what is
    set aside while it is asked, and what was spent afterwards.
    """

    question: InteractionId
    conversation: ConversationId
    bot: str
    state: str
    why: str
    by: str
    asked_at: datetime
    until: datetime
    attempts: int
    tokens: int
    settled_at: datetime | None
