"""Out of hours: who waits in a queue that is closed is told so once, and when it opens."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from router.channel.contract import Capabilities
from router.domain.content import Text
from router.domain.conversation import Conversation, Queued
from router.domain.errors import DomainError
from router.domain.ids import AccountName, ConversationId
from router.domain.policy import QueuePolicy, ShopPolicy
from router.service.reply import announce
from router.service.room import reply_room
from router.service.unit import Unit

#: Where the moment of the next opening stands in a queue's line.
_OPENS = "{opens}"


def key_of(conversation: ConversationId, day: str) -> str:
    """Return the key that makes the line be said once in a conversation and before an opening."""
    return f"closed:{day}:{conversation}"


def untold(
    unit: Unit,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> Iterator[tuple[Conversation, str, str]]:
    """Yield who waits in a closed queue and has not been told: with the words and their key.

    Nothing is said where the account cannot answer, in public, or while words are unread.
    """
    shut = {
        name: _opens(queue, at)
        for name, queue in policy.queues.items()
        if queue.closed and not queue.hours.is_open(at)
    }
    if not shut:
        return
    for held in unit.conversations.in_state(Queued):
        queue = policy.queue(held.queue)
        if queue.name not in shut or held.public or held.unread:
            continue
        opens = shut[queue.name]
        key = key_of(held.id, f"{opens:%Y%m%d%H%M}")
        able = capabilities.get(held.account)
        if able is None or unit.conversations.by_external(held.account, f"out:{key}") is not None:
            continue
        if reply_room(unit, held, capabilities=able, at=at).allowed:
            yield held, _words(queue, held.language, opens), key


def any_untold(
    unit: Unit,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> bool:
    """Return whether `tell` would say anything; it only reads."""
    return any(True for _each in untold(unit, policy=policy, capabilities=capabilities, at=at))


def tell(
    unit: Unit,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> tuple[ConversationId, ...]:
    """Say the line to everybody who was not told, and return to whom; they go on waiting.

    Where it is refused after all nothing is said: nobody else is kept back by it.
    """
    told = []
    for held, words, key in tuple(untold(unit, policy=policy, capabilities=capabilities, at=at)):

        def say(inner: Unit, held: Conversation = held, words: str = words, key: str = key) -> None:
            announce(
                inner,
                conversation=held.id,
                content=Text(text=words),
                name=policy.shop.get(_spoken(held.language), ""),
                capabilities=capabilities[held.account],
                at=at,
                key=key,
            )

        try:
            unit.attempt(say)
        except DomainError:
            continue
        told.append(held.id)
    return tuple(told)


def _opens(queue: QueuePolicy, at: datetime) -> datetime:
    """Return when the queue opens next, by its own clock."""
    return queue.hours.after(at, timedelta(0)).astimezone(queue.hours.zone)


def _words(queue: QueuePolicy, language: str, opens: datetime) -> str:
    said = queue.closed.get(_spoken(language)) or next(iter(queue.closed.values()))
    return said.replace(_OPENS, f"{opens:%Y-%m-%d %H:%M}")


def _spoken(language: str) -> str:
    return "en" if language == "en" else "zh"
