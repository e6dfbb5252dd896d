"""The ledger check: nothing acknowledged is lost, doubled or out of order; no answer is said twice.

The lines of a ledger are held against the tables of the database, which are asked with the bare
drivers. What concerns complaints is `mainstem audit`; here it is the second promise, and that
nobody was given more than they can carry.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from router.cli.ledger.book import Called, Closed, Delivered, Line, Replied
from router.cli.ledger.tables import ask

#: What customers said, as their timelines show it.
_HEARD = """
SELECT account, external_id, conversation_id, seq FROM interactions
WHERE direction = 'in' ORDER BY at, id
"""
_TWICE_IN_LINE = """
SELECT conversation_id, seq FROM interactions GROUP BY conversation_id, seq HAVING count(*) > 1
"""
_ANSWERS = """
SELECT interactions.text, outbox.account, outbox.state FROM interactions
LEFT JOIN outbox ON outbox.interaction_id = interactions.id WHERE interactions.direction = 'out'
"""
_TWO_OFFERS = """
SELECT conversation_id, count(*) FROM reservations WHERE ended = ''
GROUP BY conversation_id HAVING count(*) > 1
"""
_IDLE_OFFERS = """
SELECT reservations.id, conversations.state FROM reservations
JOIN conversations ON conversations.id = reservations.conversation_id
WHERE reservations.ended = '' AND conversations.state <> 'Offered'
"""
_WEIGHTS = "SELECT conversation_id, max(weight) FROM reservations GROUP BY conversation_id"
_CAPACITIES = "SELECT id, capacity FROM agents"
_MOVES = """
SELECT seq, kind, conversation_id, agent_id, facts FROM events
WHERE conversation_id IS NOT NULL OR kind = 'agent_changed' ORDER BY seq
"""

#: After these an agent holds the conversation, and after those nobody does.
_TAKES = frozenset({"offer_made", "offer_accepted", "conversation_taken", "conversation_resumed"})
_FREES = frozenset(
    {
        *("offer_declined", "offer_lapsed", "offer_withdrawn", "conversation_queued"),
        *("handed_to_bot", "handed_to_human", "conversation_parked", "conversation_closed"),
    }
)
_SURE, _UNDER_WAY = "sent", frozenset({"queued", "sending"})
_ROUNDING = 1e-9


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must not be: a code of `WRONG`, and where."""

    code: str
    where: str

    def __str__(self) -> str:
        return f"{self.code}: {WRONG[self.code]}: {self.where}"


#: What can be wrong, by code.
WRONG = {
    "missing": "was acknowledged and stands on no timeline",
    "doubled": "stands on timelines more than once",
    "invented": "stands on a timeline and was never sent",
    "reordered": "stands on the timeline before what the customer said earlier",
    "same_place": "two interactions have one place in a conversation",
    "reply_missing": "a reply was acknowledged and stands nowhere, or has no way out",
    "reply_doubled": "a reply stands more than once",
    "said_twice": "the customer read the same answer twice",
    "two_keys": "one answer was sent under two idempotency keys",
    "sent_unsaid": "an answer counts as sent, and the platform never said it",
    "unsettled": "an answer is still under way although everything has ended",
    "two_offers": "a conversation is offered to two agents at once",
    "idle_offer": "an offer is live whose conversation is not offered",
    "over_capacity": "an agent was offered more than they can carry",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check looked at, and what it found wrong."""

    deliveries: int
    replies: int
    calls: int
    offers: int
    wrong: tuple[Wrong, ...]


def check(url: str, lines: Sequence[Line]) -> Checked:
    """Hold a ledger against the database at ``url``, and the routing against itself."""
    deliveries = [each for each in lines if isinstance(each, Delivered)]
    replies = [each for each in lines if isinstance(each, Replied)]
    calls = [each for each in lines if isinstance(each, Called)]
    closed = frozenset(
        account for each in lines if isinstance(each, Closed) for account in each.accounts
    )
    heard = [(str(row[0]), str(row[1])) for row in ask(url, _HEARD)]
    answers = [_Answer(*row) for row in ask(url, _ANSWERS)]
    moves = [_Move(*row) for row in ask(url, _MOVES)]
    wrong = (
        *_deliveries(deliveries, heard, closed),
        *_replies(replies, answers),
        *_calls(calls, answers, whole=bool(closed)),
        *(_wrong("same_place", *row) for row in ask(url, _TWICE_IN_LINE)),
        *(_wrong("two_offers", *row) for row in ask(url, _TWO_OFFERS)),
        *(_wrong("idle_offer", *row) for row in ask(url, _IDLE_OFFERS)),
        *_loads(moves, dict(_pairs(url, _WEIGHTS)), dict(_pairs(url, _CAPACITIES))),
    )
    return Checked(
        deliveries=len({(each.account, each.id) for each in deliveries}),
        replies=len({each.words for each in replies}),
        calls=len(calls),
        offers=sum(each.kind == "offer_made" for each in moves),
        wrong=wrong,
    )


def _wrong(code: str, *where: object) -> Wrong:
    return Wrong(code=code, where=" ".join(map(str, where)))


def _pairs(url: str, question: str) -> Iterator[tuple[str, float]]:
    return ((str(name), float(value)) for name, value in ask(url, question))


# ----- what customers said ------------------------------------------------------------------------


def _deliveries(
    sent: Iterable[Delivered], heard: Sequence[tuple[str, str]], closed: frozenset[str]
) -> Iterator[Wrong]:
    known: dict[tuple[str, str], Delivered] = {}
    for each in sent:
        if each.answered or (each.account, each.id) not in known:
            known[each.account, each.id] = each
    times = Counter(heard)
    for key, delivery in known.items():
        if delivery.answered and not times[key]:
            yield _wrong("missing", *key, delivery.sender)
    yield from (
        _wrong("doubled", *key, f"{count} times") for key, count in times.items() if count > 1
    )
    for key in times:
        if key[0] in closed and key not in known:
            yield _wrong("invented", *key)
    yield from _order([each for each in known.values() if each.answered], heard)


def _order(answered: Sequence[Delivered], heard: Sequence[tuple[str, str]]) -> Iterator[Wrong]:
    """What a customer said first stands first on the timeline."""
    place_of = {key: place for place, key in enumerate(heard)}
    lines: dict[tuple[str, str], list[Delivered]] = defaultdict(list)
    for delivery in answered:
        if (delivery.account, delivery.id) in place_of:
            lines[delivery.account, delivery.sender].append(delivery)
    for line in lines.values():
        line.sort(key=lambda each: each.place)
        for first, then in pairwise(line):
            if place_of[then.account, then.id] < place_of[first.account, first.id]:
                yield _wrong("reordered", then.account, then.sender, then.id, "before", first.id)


# ----- what was answered --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Answer:
    words: str
    account: str | None
    state: str | None


def _replies(sent: Sequence[Replied], answers: Sequence[_Answer]) -> Iterator[Wrong]:
    acknowledged = {each.words for each in sent if each.answered}
    tried = {each.words for each in sent}
    times = Counter(each.words for each in answers)
    with_way = {each.words for each in answers if each.state is not None}
    for words in sorted(acknowledged - with_way):
        yield _wrong("reply_missing", words)
    for words in sorted(tried):
        if times[words] > 1:
            yield _wrong("reply_doubled", words, f"{times[words]} times")


def _calls(calls: Sequence[Called], answers: Sequence[_Answer], *, whole: bool) -> Iterator[Wrong]:
    """Look at what reached the platforms, answer by answer."""
    said: Counter[tuple[str, str]] = Counter()
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in calls:
        what = (each.account, each.words)
        if each.key:
            keys[what].add(each.key)
            said[what] = max(said[what], int(each.said))
        else:
            said[what] += each.said
    for what, count in said.items():
        if count > 1:
            yield _wrong("said_twice", *what, f"{count} times")
    for what, used in keys.items():
        if len(used) > 1:
            yield _wrong("two_keys", *what, *sorted(used))
    if whole:
        yield from _ends(
            answers,
            {what for what, count in said.items() if count},
            {each.account for each in calls},
        )


def _ends(
    answers: Sequence[_Answer], said: Collection[tuple[str, str]], spoken: Collection[str]
) -> Iterator[Wrong]:
    """Nothing is under way any more, and what counts as sent was said."""
    for answer in answers:
        what = (answer.account or "", answer.words)
        if answer.state in _UNDER_WAY:
            yield _wrong("unsettled", *what, answer.state)
        elif answer.state == _SURE and answer.account in spoken and what not in said:
            yield _wrong("sent_unsaid", *what)


# ----- who carried what ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Move:
    seq: int
    kind: str
    conversation: str | None
    agent: str | None
    facts: str | None


def _loads(
    moves: Iterable[_Move], weights: dict[str, float], capacities: dict[str, float]
) -> Iterator[Wrong]:
    """Walk through the log; at each offer the agent's conversations must fit.

    Of an agent whose capacity may have been changed since the first offer nothing is said.
    """
    holds: dict[str, str] = {}
    of: dict[str, set[str]] = defaultdict(set)
    offered: set[str] = set()
    changed: set[str] = set()
    for move in moves:
        if move.kind == "agent_changed" and move.agent in offered:
            changed.add(move.agent)
        if move.conversation is None:
            continue
        takes = move.kind in _TAKES or (
            move.kind == "conversation_transferred"
            and bool(json.loads(move.facts or "{}").get("decision"))
        )
        if takes or move.kind in _FREES or move.kind == "conversation_transferred":
            of[holds.pop(move.conversation, "")].discard(move.conversation)
        if not takes or move.agent is None:
            continue
        holds[move.conversation] = move.agent
        of[move.agent].add(move.conversation)
        if move.kind == "offer_made" and move.agent not in changed:
            offered.add(move.agent)
            load = sum(weights.get(each, 1.0) for each in of[move.agent])
            if load > capacities.get(move.agent, 0.0) + _ROUNDING:
                yield _wrong("over_capacity", move.agent, "event", move.seq, f"carries {load:g}")
