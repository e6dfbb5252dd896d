"""The guarantees G1 to G5, re-derived from the stored history; docs/GUARANTEES.md names them.

The log is read once, in its order. What it says is put together anew, and each handover, each
complaint and each word of a bot is held against it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.domain.contact import MergeRecord, roots
from router.domain.events import Happened, Logged
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId
from router.service.records import DecisionRecord
from router.service.unit import Unit

#: A holder hears of a complaint within this time (G2).
TOLD_WITHIN = timedelta(seconds=2)
#: An overdue case is escalated within this time while a daemon runs (G3).
ESCALATED_WITHIN = timedelta(seconds=60)
#: From this severity on, a bot neither answers nor closes (G4).
NO_BOT_FROM = 2
_PAGE = 1000

#: What can be wrong, by code; ``%(detail)s`` is the event, the case or the severity.
WRONG: dict[str, str] = {
    "no_decision": "%(detail)s keeps no decision",
    "decision_gone": "the decision of %(detail)s is not kept",
    "case_missed": "%(detail)s did not include an open case",
    "decided_before_news": "%(detail)s was decided before the latest news of the person's cases",
    "agent_not_told": "the agent was not alerted in time",
    "bot_kept_it": "the bot kept the conversation",
    "not_acknowledged": "a case was resolved without an acknowledgement",
    "no_resolution": "a case was resolved without saying how",
    "not_placed": "an open case has no owner and no queue, or both",
    "no_due_time": "an open case has no due time",
    "owner_left": "an open case is owned by somebody who has left",
    "not_escalated": "an overdue case was not escalated",
    "bot_answered": "a bot answered over an open case of severity %(detail)s",
    "bot_closed": "a bot closed a conversation over an open case of severity %(detail)s",
}

_STATES = {
    "conversation_opened": "queued",
    "conversation_queued": "queued",
    "offer_made": "offered",
    "offer_accepted": "agent",
    "offer_declined": "queued",
    "offer_lapsed": "queued",
    "offer_withdrawn": "queued",
    "handed_to_bot": "bot",
    "handed_to_human": "queued",
    "conversation_taken": "agent",
    "conversation_parked": "parked",
    "conversation_resumed": "agent",
    "wrap_up_started": "wrap_up",
    "conversation_closed": "closed",
}
_GROWS = frozenset({"case_opened", "case_reopened", "case_joined"})
_CASE_NEWS = _GROWS | {"case_resolved", "case_changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A guarantee that did not hold: which, at which event, and what was wrong.

    ``code`` is one of `WRONG`; ``what`` says it in English, with the ``detail`` filled in.
    """

    guarantee: str
    seq: int
    at: datetime
    code: str
    what: str
    detail: str = ""
    conversation: ConversationId | None = None
    case: CaseId | None = None


@dataclass(slots=True)
class _Case:
    contact: ContactId
    open: bool
    severity: int
    acknowledged: bool


@dataclass(slots=True)
class _Held:
    contact: ContactId
    state: str = "queued"
    agent: AgentId | None = None


@dataclass(slots=True)
class _Debt:
    """Somebody must be told, or a bot must step back, by a time."""

    until: datetime
    seq: int
    conversation: ConversationId
    settled_by: str
    case: CaseId | None


@dataclass(slots=True)
class _History:
    """What the log has said so far; everything is found by its contact."""

    merges: dict[str, MergeRecord] = field(default_factory=dict)
    roots: dict[ContactId, ContactId] = field(default_factory=dict)
    members: dict[ContactId, set[ContactId]] = field(default_factory=dict)  # by root
    cases: dict[CaseId, _Case] = field(default_factory=dict)
    cases_of: dict[ContactId, list[CaseId]] = field(default_factory=dict)
    held: dict[ConversationId, _Held] = field(default_factory=dict)
    held_of: dict[ContactId, list[ConversationId]] = field(default_factory=dict)
    debts: list[_Debt] = field(default_factory=list)
    last_case_news: dict[ContactId, int] = field(default_factory=dict)

    def root(self, contact: ContactId) -> ContactId:
        return self.roots.get(contact, contact)

    def person(self, contact: ContactId) -> set[ContactId]:
        return self.members.get(self.root(contact), {contact})

    def open_cases(self, contact: ContactId) -> dict[CaseId, _Case]:
        names = (name for each in self.person(contact) for name in self.cases_of.get(each, ()))
        return {name: self.cases[name] for name in names if self.cases[name].open}

    def conversations(self, contact: ContactId) -> Iterator[tuple[ConversationId, _Held]]:
        for each in self.person(contact):
            for name in self.held_of.get(each, ()):
                yield name, self.held[name]

    def rejoin(self, *touched: ContactId) -> None:
        """Work out anew who is one person among those whom ``touched`` were one with."""
        people = set().union(*(self.person(each) for each in touched))
        concerned = [each for each in self.merges.values() if {each.keep, each.fold} <= people]
        for old in {self.root(each) for each in people}:
            self.members.pop(old, None)
        for member, root in roots(people, concerned).items():
            self.roots[member] = root
            self.members.setdefault(root, set()).add(member)


@dataclass(slots=True)
class Course:
    """A way through the log: how far it leads, how far it has come, what was found on it."""

    until: int
    seq: int = 0
    found: list[Violation] = field(default_factory=list)
    history: _History = field(default_factory=_History)

    @property
    def is_whole(self) -> bool:
        """Return whether everything up to the end has been looked at."""
        return self.seq >= self.until


def set_out(unit: Unit) -> Course:
    """Begin a way through the log as it is now."""
    return Course(until=unit.journal.seq())


def go_on(unit: Unit, course: Course) -> None:
    """Look at the next page of the log; one short read, however long the log is."""
    page = unit.journal.events_since(course.seq, limit=_PAGE)
    within = [logged for logged in page if logged.seq <= course.until]
    named = {_decision_of(logged.event) for logged in within} - {""}
    decisions = unit.journal.decisions_named(named) if named else {}
    for logged in within:
        course.found.extend(_hold(decisions, course.history, logged))
    course.seq = within[-1].seq if within else course.until


def conclude(unit: Unit, course: Course, *, at: datetime) -> tuple[Violation, ...]:
    """Return what was found, oldest first, with what is wrong about the open cases now."""
    if course.is_whole:
        course.found.extend(_unpaid(course.history, at + TOLD_WITHIN + timedelta(seconds=1)))
    course.found.extend(_placed(unit, at))
    return tuple(sorted(course.found, key=lambda each: each.seq))


def audit(unit: Unit, *, at: datetime) -> tuple[Violation, ...]:
    """Return every violation of the guarantees that the stored history shows, oldest first."""
    course = set_out(unit)
    while not course.is_whole:
        go_on(unit, course)
    return conclude(unit, course, at=at)


def _hold(
    decisions: Mapping[str, DecisionRecord], history: _History, logged: Logged
) -> Iterator[Violation]:
    event = logged.event
    yield from _unpaid(history, logged.at)
    _settle(history, event)
    if event.kind in {"contacts_merged", "contacts_split"}:
        _join(history, logged)
    if event.case is not None and event.contact is not None:
        yield from _case(history, logged)
    if event.kind in _GROWS or event.kind == "contacts_merged":
        _owe(history, logged)
    yield from _handover(decisions, history, logged)
    yield from _bot(history, logged)
    _move(history, event)


# ----- what the log says -------------------------------------------------------------------------


def _join(history: _History, logged: Logged) -> None:
    event = logged.event
    facts = event.facts or {}
    if event.contact is None:
        return
    fold, name = ContactId(str(facts.get("fold", ""))), str(facts.get("merge", ""))
    if event.kind == "contacts_merged":
        history.merges[name] = MergeRecord(
            id=name, keep=event.contact, fold=fold, at=logged.at, by="", why=""
        )
    else:
        history.merges.pop(name, None)
    history.rejoin(event.contact, fold)
    history.last_case_news[history.root(event.contact)] = logged.seq


def _case(  # noqa: C901  one arm for each kind of news
    history: _History, logged: Logged
) -> Iterator[Violation]:
    event = logged.event
    if event.case is None or event.contact is None:
        return
    facts = event.facts or {}
    severity = int(facts["severity"]) if str(facts.get("severity", "")).isdigit() else 1
    known = history.cases.get(event.case)
    if event.kind in _CASE_NEWS:
        history.last_case_news[history.root(event.contact)] = logged.seq
    if event.kind == "case_opened":
        history.cases[event.case] = _Case(event.contact, True, severity, False)  # noqa: FBT003
        history.cases_of.setdefault(event.contact, []).append(event.case)
    elif known is None:
        return
    elif event.kind == "case_reopened":
        known.open, known.acknowledged = True, False
    elif event.kind == "case_joined":
        known.severity = max(known.severity, severity)
    elif event.kind == "case_changed":
        known.severity = severity
    elif event.kind == "case_acknowledged":
        known.acknowledged = True
    elif event.kind == "case_resolved":
        if not known.acknowledged:
            yield _violation("G3", logged, "not_acknowledged")
        elif not facts.get("resolution"):
            yield _violation("G3", logged, "no_resolution")
        known.open = False


def _move(history: _History, event: Happened) -> None:
    if event.conversation is None:
        return
    held = history.held.get(event.conversation)
    if held is None:
        if event.contact is None:
            return
        held = history.held[event.conversation] = _Held(event.contact)
        history.held_of.setdefault(event.contact, []).append(event.conversation)
    state = _STATES.get(event.kind)
    if event.kind == "conversation_transferred":
        state = "agent" if (event.facts or {}).get("decision") else "queued"
    if state is not None:
        held.state = state
        held.agent = event.agent if state == "agent" else None


# ----- G1: nobody is handed a conversation in ignorance ------------------------------------------


def _decision_of(event: Happened) -> str:
    return str((event.facts or {}).get("decision", ""))


def _handover(
    decisions: Mapping[str, DecisionRecord], history: _History, logged: Logged
) -> Iterator[Violation]:
    event = logged.event
    name = _decision_of(event)
    if event.contact is None:
        return
    if not name:
        if event.kind in {"offer_made", "handed_to_bot", "conversation_taken"}:
            yield _violation("G1", logged, "no_decision", event.kind)
        return
    decision = decisions.get(name)
    if decision is None:
        yield _violation("G1", logged, "decision_gone", event.kind)
        return
    missed = set(history.open_cases(event.contact)) - set(decision.cases)
    for case in sorted(missed):
        yield _violation("G1", logged, "case_missed", event.kind, case=case)
    news = history.last_case_news.get(history.root(event.contact), 0)
    if decision.kind in {"offer", "bot"} and news > decision.seen_seq:
        yield _violation("G1", logged, "decided_before_news", event.kind)


# ----- G2: late news reaches the holder ----------------------------------------------------------


def _owe(history: _History, logged: Logged) -> None:
    event = logged.event
    if event.contact is None or not history.open_cases(event.contact):
        return
    for name, held in history.conversations(event.contact):
        if held.state not in {"agent", "bot"}:
            continue
        settled_by = "alert_raised" if held.state == "agent" else "handed_to_human"
        until = logged.at + TOLD_WITHIN
        history.debts.append(_Debt(until, logged.seq, name, settled_by, event.case))


def _settle(history: _History, event: Happened) -> None:
    if event.kind in {"alert_raised", "handed_to_human"}:
        history.debts = [
            debt
            for debt in history.debts
            if (debt.conversation, debt.settled_by) != (event.conversation, event.kind)
        ]


def _unpaid(history: _History, at: datetime) -> Iterator[Violation]:
    late = [debt for debt in history.debts if debt.until < at]
    if not late:
        return
    history.debts = [debt for debt in history.debts if debt.until >= at]
    for debt in late:
        code = "agent_not_told" if debt.settled_by == "alert_raised" else "bot_kept_it"
        yield Violation(
            guarantee="G2",
            seq=debt.seq,
            at=debt.until,
            code=code,
            what=WRONG[code],
            conversation=debt.conversation,
            case=debt.case,
        )


# ----- G3: no orphan -----------------------------------------------------------------------------


def _placed(unit: Unit, at: datetime) -> Iterator[Violation]:
    active = {agent.id for agent in unit.workforce.all() if agent.active}
    seq = unit.journal.seq()
    for case in unit.cases.all_open(limit=100_000):
        code = ""
        if (case.owner is None) == (case.queue is None):
            code = "not_placed"
        elif case.due_at is None:
            code = "no_due_time"
        elif case.owner is not None and case.owner not in active:
            code = "owner_left"
        elif case.due_at + ESCALATED_WITHIN < at:
            code = "not_escalated"
        if code:
            yield Violation(
                guarantee="G3", seq=seq, at=at, code=code, what=WRONG[code], case=case.id
            )


# ----- G4: no bot alone --------------------------------------------------------------------------


def _bot(history: _History, logged: Logged) -> Iterator[Violation]:
    event = logged.event
    if event.contact is None or event.conversation is None:
        return
    held = history.held.get(event.conversation)
    answers = event.kind == "reply_queued" and (event.facts or {}).get("by") == "bot"
    closes = event.kind == "conversation_closed" and held is not None and held.state == "bot"
    if not (answers or closes):
        return
    for name, case in history.open_cases(event.contact).items():
        if case.severity >= NO_BOT_FROM:
            code = "bot_answered" if answers else "bot_closed"
            yield _violation("G4", logged, code, str(case.severity), case=name)


def _violation(
    guarantee: str, logged: Logged, code: str, detail: str = "", *, case: CaseId | None = None
) -> Violation:
    event = logged.event
    return Violation(
        guarantee=guarantee,
        seq=logged.seq,
        at=logged.at,
        code=code,
        what=WRONG[code] % {"detail": detail},
        detail=detail,
        conversation=event.conversation,
        case=case or event.case,
    )
