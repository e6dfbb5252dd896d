"""Triage: from what was understood of a conversation to its needs and whether the bot may try."""

from dataclasses import dataclass

from router.domain.case import Case
from router.domain.ids import QueueName, Skill
from router.domain.policy import ShopPolicy
from router.domain.reading import Alarm, Intent, Reading
from router.domain.workforce import Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a conversation needs. ``because`` names each rule that had a say."""

    queue: QueueName
    needs: frozenset[Need]
    language: str
    bot_ok: bool
    wants_human: bool
    flagged: bool
    because: tuple[str, ...]


#: From this severity on, a conversation stands in the complaints' line from the start.
_CLEAR = 2
#: What one message said about a topic is kept over what the next leaves open.
_SILENT = frozenset({Intent.CHITCHAT, Intent.OTHER, Intent.HUMAN_REQUEST, Intent.COMPLAINT})


def triage(
    reading: Reading,
    *,
    queue: QueueName,
    policy: ShopPolicy,
    open_cases: tuple[Case, ...],
    before: frozenset[Need],
    wanted_human: bool,
    was_flagged: bool,
    answerable: bool,
) -> Triage:
    """Return what a conversation needs after its latest message.

    ``before`` are the needs so far, ``answerable`` whether the bot knows a sure answer. The bot may
    try only if nobody asked for a person, nothing sounds like a complaint and no case is open.
    """
    because: list[str] = []
    queue = _line(reading, queue, policy=policy, open_cases=open_cases, fresh=not before)
    needs = {need.skill: need for need in policy.queue(queue).needs}
    topic = policy.topics.get(reading.intent, frozenset())
    kept = before if reading.intent in _SILENT or not topic else topic
    for need in kept:
        _raise(needs, need)
    if topic:
        because.append(f"intent:{reading.intent}")
    worst = max((case.severity for case in open_cases), default=0)
    if worst:
        because.append(f"open_case:{worst}")
        for need in policy.complaint_needs[worst]:
            _raise(needs, need)
    wants_human = wanted_human or reading.wants_human
    flagged = was_flagged or reading.complaint is not Alarm.NONE
    bot_ok = answerable and policy.bot.first and not (wants_human or flagged or open_cases)
    if wants_human:
        because.append("wants_human")
    if flagged:
        because.append(f"complaint:{reading.complaint}")
    because.append("bot_knows" if answerable else "bot_does_not_know")
    return Triage(
        queue=queue,
        needs=frozenset(needs.values()),
        language=reading.language,
        bot_ok=bot_ok,
        wants_human=wants_human,
        flagged=flagged,
        because=tuple(because),
    )


def _line(
    reading: Reading,
    queue: QueueName,
    *,
    policy: ShopPolicy,
    open_cases: tuple[Case, ...],
    fresh: bool,
) -> QueueName:
    """Return the line to stand in. Only the first reading moves it: later, people decide."""
    if not fresh:
        return queue
    if any(case.severity >= _CLEAR for case in open_cases):
        return policy.case_queue
    return policy.topic_queues.get(reading.intent, queue)


def _raise(needs: dict[Skill, Need], need: Need) -> None:
    held = needs.get(need.skill)
    if held is None or held.least < need.least:
        needs[need.skill] = need
