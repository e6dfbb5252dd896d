"""The trained reader: rules for what cannot wait, and trained weights for everything else."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from router.domain.reading import Alarm, Intent, Reading
from router.understanding.encoder import LayeredEncoder
from router.understanding.features import features_of, parts_of
from router.understanding.model import HEADS, INTENTS, Decision, Model, Scores
from router.understanding.reader import RuleReader

_GRAVE, _CLEAR, _MILD = 3, 2, 1
_FARTHEST = 30.0  # beyond it a logistic is 0 or 1
_FIRST_INTENT = len(HEADS) - len(INTENTS)


class TrainedReader:
    """Reads by trained weights over rules, words and meaning; threads may share it."""

    def __init__(self, *, model: Model, encoder: LayeredEncoder, rules: RuleReader) -> None:
        """Put the parts together; raises ``ModelUnavailable`` if ``encoder`` does not suit."""
        model.suits(encoder)
        self.name = model.name
        self._model, self._encoder, self._rules = model, encoder, rules

    def read(self, text: str, *, language: str | None = None) -> Reading:
        """Say what ``text`` means; ``language`` is the conversation's, for numbers and emoji."""
        found = self._rules.found(text)
        seen = features_of(
            parts_of(text),
            found,
            encoder=self._encoder,
            tells=self._model.tuned,
            names=self._model.rules,
        )
        ruled = self._rules.judged(found, text, language=language)
        scored = [self._model.scores(each) for each in seen]
        return decided(ruled, scored, decision=self._model.decisions[ruled.language], by=self.name)


def decided(ruled: Reading, scored: Sequence[Scores], *, decision: Decision, by: str) -> Reading:
    """Return the reading of a message from what the rules say and the scores of its parts.

    The most alarming part decides on the complaint. A rule of severity 3 alerts, unless the weights
    are as sure that nobody complains as they never were where somebody did: then it watches. It is
    never cleared. In a message of several parts a complaint may drown: what rules call clear is
    watched there.
    """
    worst = max(scored, key=lambda each: each.of("complaint"))
    score = _logistic(decision.slope * worst.of("complaint") + decision.offset)
    held = ruled.severity == _GRAVE
    drowned = len(scored) > 1 and ruled.severity >= _CLEAR
    trigger = held and worst.of("complaint") >= decision.doubt_at
    grave = trigger or (not held and max(each.of("grave") for each in scored) >= decision.grave_at)
    alarm = _alarm(score, trigger=trigger, held=held or drowned, decision=decision)
    intent, share = _intent(scored)
    words = (f"words:{word.strip()} {weight:+.2f}" for word, weight in worst.words)
    return replace(
        ruled,
        intent=intent,
        complaint=alarm,
        complaint_score=round(max(score, 0.5) if trigger else score, 3),
        severity=_severity(alarm, worst, grave=grave, decision=decision),
        wants_human=max(each.of("human") for each in scored) >= decision.human_at,
        sentiment=round(max(-1.0, min(1.0, worst.of("sentiment"))), 2),
        because=(
            f"model:complaint {score:.2f}",
            f"model:{intent.value} {share:+.2f}",
            *(("model:doubts the rule",) if held and not trigger else ()),
            *ruled.because,
            *words,
        ),
        reader=by,
    )


def _alarm(score: float, *, trigger: bool, held: bool, decision: Decision) -> Alarm:
    if trigger or score >= decision.alert_at:
        return Alarm.ALERT
    return Alarm.WATCH if held or score >= decision.watch_at else Alarm.NONE


def _severity(alarm: Alarm, worst: Scores, *, grave: bool, decision: Decision) -> int:
    if alarm is Alarm.NONE:
        return 0
    if grave:
        return _GRAVE
    return _CLEAR if worst.of("severity") >= decision.clear_at else _MILD


def _intent(scored: Sequence[Scores]) -> tuple[Intent, float]:
    """Return the topic that the parts together point to, and its score."""
    total = np.sum([each.heads[_FIRST_INTENT:] for each in scored], axis=0)
    best = max(range(len(INTENTS)), key=lambda at: float(total[at]))
    return Intent(INTENTS[best]), float(total[best]) / len(scored)


def _logistic(evidence: float) -> float:
    return 1 / (1 + math.exp(-max(-_FARTHEST, min(_FARTHEST, evidence))))
