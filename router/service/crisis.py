"""A crisis: noticed or declared, its statement approved and pinned, its end."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from router.domain import crisis as steps
from router.domain.case import Case
from router.domain.crisis import (
    Crisis,
    CrisisPolicy,
    CrisisState,
    Subject,
    Wordings,
    expected,
    is_burst,
)
from router.domain.errors import IllegalStep, Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId, ContactId
from router.domain.matter import SILENT
from router.domain.policy import ShopPolicy
from router.domain.reading import Intent
from router.service.records import Alert
from router.service.unit import Unit

#: What a crisis can be about, besides the products of the configuration.
TOPICS = tuple(each.value for each in Intent if each.value not in SILENT)


def bursts(unit: Unit, *, policy: ShopPolicy, at: datetime) -> Mapping[Subject, tuple[int, float]]:
    """Return subjects that too many complain of now: how many persons, and how many are usual.

    A subject whose crisis stands, or ended within the window, is left out. It only reads.
    """
    rule = policy.crisis
    since = at - rule.window
    age = _age(unit, since)
    found = {}
    for subject, persons in _persons(unit.cases.opened_between(since, at), rule).items():
        if len(persons) < rule.least or _is_known(unit, subject, since):
            continue
        past = _past(unit, subject, policy=rule, until=since)
        if is_burst(len(persons), past, policy=rule, known_for=age):
            usual = expected(past, policy=rule, known_for=age)
            found[subject] = (len(persons), usual)
    return found


def _age(unit: Unit, until: datetime) -> timedelta:
    """Return for how long the shop had been listened to then."""
    first = unit.journal.events_since(0, limit=1)
    return until - first[0].at if first else timedelta(0)


def _persons(cases: tuple[Case, ...], policy: CrisisPolicy) -> dict[Subject, set[ContactId]]:
    persons: dict[Subject, set[ContactId]] = {}
    for case in cases:
        for subject in subjects_in(case.topic, case.summary, policy):
            persons.setdefault(subject, set()).add(case.contact)
    return persons


def subjects_in(topic: str, words: str, policy: CrisisPolicy) -> tuple[Subject, ...]:
    """Return the topic and every product that the words name.

    To be angry is no topic: what says no more than that is about nothing by itself.
    """
    said = words.casefold()
    products = (
        Subject(kind="product", name=name)
        for name, product in policy.products.items()
        if any(word in said for word in product.words)
    )
    named = () if topic in SILENT else (Subject(kind="topic", name=topic),)
    return (*named, *products)


def _is_known(unit: Unit, subject: Subject, since: datetime) -> bool:
    last = unit.crises.last_on(subject)
    return last is not None and (last.ended_at is None or last.ended_at > since)


def _past(unit: Unit, subject: Subject, *, policy: CrisisPolicy, until: datetime) -> int:
    since = until - policy.baseline
    if subject.kind == "topic":
        return unit.cases.count_about(subject.name, since, until)
    return unit.cases.count_saying(policy.products[subject.name].words, since, until)


def watch(unit: Unit, *, policy: ShopPolicy, at: datetime) -> tuple[Crisis, ...]:
    """Raise a crisis for every burst, and alert all supervisors."""
    raised = []
    for subject, (count, usual) in bursts(unit, policy=policy, at=at).items():
        crisis = _raise(unit, subject, count=count, usual=usual, by="", at=at)
        if crisis is not None:
            raised.append(crisis)
    return tuple(raised)


def declare(
    unit: Unit, *, subject: Subject, by: AgentId, policy: ShopPolicy, at: datetime
) -> Crisis:
    """Raise a crisis by a supervisor's word; raises IllegalStep if there is one on the subject."""
    known = set(TOPICS) if subject.kind == "topic" else set(policy.crisis.products)
    if subject.name not in known:
        raise Invalid(f"subject: {subject.key} is no topic and no product of crisis.toml")
    since = at - policy.crisis.window
    persons = _persons(unit.cases.opened_between(since, at), policy.crisis).get(subject, set())
    past = _past(unit, subject, policy=policy.crisis, until=since)
    usual = expected(past, policy=policy.crisis, known_for=_age(unit, since))
    crisis = _raise(unit, subject, count=len(persons), usual=usual, by=by, at=at)
    if crisis is None:
        raise IllegalStep("there is a crisis on this subject already")
    return crisis


def _raise(
    unit: Unit, subject: Subject, *, count: int, usual: float, by: str, at: datetime
) -> Crisis | None:
    crisis = Crisis(
        id=unit.new_id(),
        subject=subject,
        state=CrisisState.RAISED,
        raised_at=at,
        raised_by=by,
        count=count,
        usual=usual,
    )
    if not unit.crises.add(crisis):
        return None
    facts = {"crisis": crisis.id, "subject": subject.key, "count": count}
    _log(unit, "crisis_raised", crisis, by=by, at=at)
    unit.journal.alert(
        Alert(
            id=unit.new_id(),
            at=at,
            agent=None,
            kind="crisis_raised",
            conversation=None,
            case=None,
            facts=facts,
            seen_at=None,
        )
    )
    unit.record(Happened(kind="alert_raised", facts=facts), at=at)
    return crisis


def draft(unit: Unit, *, crisis: str, wordings: Wordings, by: AgentId, at: datetime) -> Crisis:
    """Write the statement; what was approved or pinned before is so no more."""
    written = steps.drafted(unit.crises.get(crisis), wordings=wordings, by=by, at=at)
    return _saved(unit, written, "crisis_drafted", by=by, at=at)


def approve(unit: Unit, *, crisis: str, by: AgentId, at: datetime) -> Crisis:
    """Make the draft the shop's own word."""
    done = steps.approved(unit.crises.get(crisis), by=by, at=at)
    return _saved(unit, done, "crisis_approved", by=by, at=at)


def pin(unit: Unit, *, crisis: str, by: AgentId, at: datetime) -> Crisis:
    """Let bots and agents say the approved statement first from now on."""
    done = steps.pinned(unit.crises.get(crisis), at=at)
    return _saved(unit, done, "crisis_pinned", by=by, at=at)


def end(unit: Unit, *, crisis: str, by: AgentId, at: datetime) -> Crisis:
    """End a crisis: its statement is said no more."""
    done = steps.ended(unit.crises.get(crisis), by=by, at=at)
    return _saved(unit, done, "crisis_ended", by=by, at=at)


def _saved(unit: Unit, crisis: Crisis, kind: str, *, by: AgentId, at: datetime) -> Crisis:
    saved = unit.crises.save(crisis)
    _log(unit, kind, saved, by=by, at=at)
    return saved


def _log(unit: Unit, kind: str, crisis: Crisis, *, by: str, at: datetime) -> None:
    facts = {"crisis": crisis.id, "subject": crisis.subject.key, "by": by}
    unit.record(Happened(kind=kind, facts=facts), at=at)
