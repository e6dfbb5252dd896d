"""The first reader of messages: a lexicon and rules, for Chinese and English."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router.domain.reading import Alarm, Entity, Intent, Reading
from router.understanding.anchors import anchors_in
from router.understanding.entities import entities_in
from router.understanding.lexicon import Entry, Rule, RuleSet, Scopes, rules
from router.understanding.text import language_of, normal, pieces, printable, quoted_spans, words_in

_NAME = "rules/1"
_GRAVE = 3  # the severity that alone raises the alarm
_GRAVE_POINTS = 5.0  # what such a message scores at least, however kindly it is put
# Points to probability: the middle as fitted on the authored messages, the slope half as steep,
# because the lexicon was written with those messages in view. See docs/UNDERSTANDING.md.
_MIDDLE = 1.4
_SLOPE = 1.0
_WATCH_AT = 0.5  # points
_ALERT_AT = 3.0  # points, without those for merely telling something
_SHORTEST_STATEMENT = 4  # words
_STATEMENT = Rule(
    entry=Entry(name="only-tells", points=1.0, severity=1, mood=-0.3), pattern=re.compile("")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What was found in one piece of a message."""

    complaints: tuple[Rule, ...]
    wishes: tuple[Rule, ...]
    topics: tuple[Rule, ...]
    entities: tuple[Entity, ...]

    @property
    def points(self) -> float:
        return _points(self.complaints)

    @property
    def severity(self) -> int:
        return max((rule.entry.severity for rule in self.complaints), default=0)

    @property
    def rule_names(self) -> frozenset[str]:
        """Return the names of the rules in force, wishes and topics with what they are."""
        return frozenset(
            (
                *(rule.name for rule in self.complaints),
                *(f"human:{rule.name}" for rule in self.wishes),
                *(f"intent:{rule.name}" for rule in self.topics),
            )
        )


class RuleReader:
    """Reads by a lexicon. Holds no state but the compiled rules, so threads may share it."""

    name: str = _NAME

    def __init__(self) -> None:
        """Compile the lexicon; raises ``msgspec.ValidationError`` if a file of it is malformed."""
        self._held = RuleSet(rules("complaint"), rules("human"), rules("intent"))
        self._complaints = RuleSet(rules("complaint"))
        named = {rule.name: rule.pattern for rule in rules("scopes")}
        self._told, self._asked = named["told"], named["asked"]
        self._scopes = Scopes(
            denial=named["denial"], question=named["question"], asking_end=named["asking-end"]
        )

    def read(self, text: str, *, language: str | None = None) -> Reading:
        """Say what ``text`` means; never raises, whatever the text.

        ``language`` is the conversation's ("zh" or "en"): numbers and emoji are read in it. A long
        text is read in pieces, of which the most alarming one decides.
        """
        return self.judged(self.found(text), text, language=language)

    def is_alert(self, text: str) -> bool:
        """Return whether a piece of ``text`` is an alert: true wherever ``read`` says so.

        Looks at complaints alone, and at no expression where too little could match.
        """
        return any(map(self._is_alert, pieces(text)))

    def _is_alert(self, text: str) -> bool:
        plain = normal(printable(text))
        anchors = anchors_in(plain)
        if not _alarms(self._complaints.possible(anchors)):
            return False
        (held,) = self._complaints.in_force(
            plain, anchors, scopes=self._scopes, quoted=quoted_spans(plain)
        )
        return any(rule.entry.severity >= _GRAVE for rule in held) or _points(held) >= _ALERT_AT

    @property
    def rule_names(self) -> tuple[str, ...]:
        """Return the names of all rules as ``Piece.rule_names`` writes them."""
        complaints, wishes, topics = self._held.rules
        return (
            *(rule.name for rule in (*complaints, _STATEMENT)),
            *(f"human:{rule.name}" for rule in wishes),
            *(f"intent:{rule.name}" for rule in topics),
        )

    def found(self, text: str) -> tuple[Piece, ...]:
        """Return which rules are in force in each piece of ``text``; at least one piece."""
        return tuple(self._piece(each) for each in pieces(text))

    def judged(self, found: Sequence[Piece], text: str, *, language: str | None) -> Reading:
        """Say what ``text`` means, of which ``found`` is what ``found`` returned."""
        worst = found[0]
        if len(found) > 1:
            worst = max(found, key=lambda each: (each.severity >= _GRAVE, each.points))
        alarm, score = _alarm(worst)
        severity = 0 if alarm is Alarm.NONE else max(1, worst.severity)
        intent, topic = _intent(found, alarm)
        wishes = _names(rule for each in found for rule in each.wishes)
        return Reading(
            language=language_of(text, fallback=language),
            intent=intent,
            complaint=alarm,
            complaint_score=score,
            severity=severity,
            wants_human=bool(wishes),
            sentiment=_sentiment(worst, alarm, severity),
            entities=tuple(dict.fromkeys(entity for each in found for entity in each.entities)),
            because=(
                *(f"complaint:{rule.name} {rule.entry.points:+g}" for rule in worst.complaints),
                *(f"human:{name}" for name in wishes),
                *((f"intent:{topic}",) if topic else ()),
            ),
            reader=self.name,
        )

    def _piece(self, text: str) -> Piece:
        written = printable(text)
        plain = normal(written)
        complaints, wishes, topics = self._held.in_force(
            plain, anchors_in(plain), scopes=self._scopes, quoted=quoted_spans(plain)
        )
        if not wishes and self._only_tells(plain, complaints):
            complaints = (*complaints, _STATEMENT)
        return Piece(
            complaints=complaints, wishes=wishes, topics=topics, entities=entities_in(written)
        )

    def _only_tells(self, plain: str, complaints: Sequence[Rule]) -> bool:
        """Say whether the text states something, and nothing in it asks, thanks or calms."""
        return (
            all(rule.entry.points >= 0 for rule in complaints)
            and words_in(plain) >= _SHORTEST_STATEMENT
            and self._told.search(plain) is not None
            and self._asked.search(plain) is None
        )


def _points(held: Iterable[Rule]) -> float:
    return sum(rule.entry.points for rule in held)


def _alarms(possible: Sequence[Rule]) -> bool:
    """Return whether an alert could come of some of these rules, whichever are in force."""
    grave = any(rule.entry.severity >= _GRAVE for rule in possible)
    return grave or _points(rule for rule in possible if rule.entry.points > 0) >= _ALERT_AT


def _alarm(piece: Piece) -> tuple[Alarm, float]:
    grave = piece.severity >= _GRAVE
    points = max(piece.points, _GRAVE_POINTS) if grave else piece.points
    score = 1 / (1 + math.exp(-_SLOPE * (min(max(points, -20.0), 20.0) - _MIDDLE)))
    told = _STATEMENT.entry.points if _STATEMENT in piece.complaints else 0.0
    if grave or points - told >= _ALERT_AT:
        return Alarm.ALERT, round(score, 3)
    return (Alarm.WATCH if points >= _WATCH_AT else Alarm.NONE), round(score, 3)


def _intent(found: Sequence[Piece], alarm: Alarm) -> tuple[Intent, str]:
    """Return the topic with the most points, and the rule that carried it."""
    points: dict[str, float] = {}
    carried: dict[str, str] = {}
    for rule in (rule for each in found for rule in each.topics):
        topic = rule.name.partition("/")[0]
        points[topic] = points.get(topic, 0.0) + rule.entry.points
        carried.setdefault(topic, rule.name)
    if alarm is Alarm.NONE:
        points.pop("complaint", None)
    elif not points:
        return Intent.COMPLAINT, ""
    if not points:
        return Intent.OTHER, ""
    best = max(points, key=lambda topic: points[topic])
    return Intent(best), carried[best]


def _sentiment(piece: Piece, alarm: Alarm, severity: int) -> float:
    """Return the mood from -1 to 1: the worst word of a complaint, else the kindest one."""
    moods = [rule.entry.mood for rule in piece.complaints]
    if alarm is not Alarm.NONE:
        return min([*moods, -0.1 - 0.2 * severity])
    kind = max(moods, default=0.0)
    return kind if kind > 0 else 0.0


def _names(tried: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.name for rule in tried))
