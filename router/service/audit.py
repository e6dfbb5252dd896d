"""The guarantees G1 to G5, re-derived from the stored history; docs/GUARANTEES.md names them.

The log is read once, in its order. What it says is put together anew, and each handover, each
complaint and each word of a bot is held against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.domain.contact import MergeRecord, roots
from router.domain.events import Happened, Logged
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId
from router.service.ports import NotFound
from router.service.unit import Unit

#: A holder hears of a complaint within this time (G2).
TOLD_WITHIN = timedelta(seconds=2)
#: An overdue case is escalated within this time while a daemon runs (G3).
ESCALATED_WITHIN = timedelta(seconds=60)
#: From this severity on, a bot neither answers nor closes (G4).
NO_BOT_FROM = 2
_PAGE = 1000

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
    """A guarantee that did not hold: which, at which event, and what was wrong."""

    guarantee: str
    seq: int
    at: datetime
    what: str
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
    """What the log has said so far."""

    merges: dict[str, MergeRecord] = field(default_factory=dict)
    contacts: set[ContactId] = field(default_factory=set)
    roots: dict[ContactId, ContactId] = field(default_factory=dict)
    cases: dict[CaseId, _Case] = field(default_factory=dict)
    held: dict[ConversationId, _Held] = field(default_factory=dict)
    debts: list[_Debt] = field(default_factory=list)
    last_case_news: dict[ContactId, int] = field(default_factory=dict)

    def root(self, contact: ContactId) -> ContactId:
        return self.roots.get(contact, contact)

    def open_cases(self, contact: ContactId) -> dict[CaseId, _Case]:
        person = self.root(contact)
        return {
            name: case
            for name, case in self.cases.items()
            if case.open and self.root(case.contact) == person
        }

    def meet(self, contact: ContactId) -> None:
        self.contacts.add(contact)

    def rejoin(self) -> None:
        self.roots = dict(roots(self.contacts, self.merges.values()))


def audit(unit: Unit, *, at: datetime) -> tuple[Violation, ...]:
    """Return every violation of the guarantees that the stored history shows, oldest first."""
    history = _History()
    found: list[Violation] = []
    seq = 0
    while True:
        page = unit.journal.events_since(seq, limit=_PAGE)
        if not page:
            break
        for logged in page:
            found.extend(_hold(unit, history, logged))
        seq = page[-1].seq
    found.extend(_unpaid(history, at + TOLD_WITHIN + timedelta(seconds=1)))
    found.extend(_placed(unit, at))
    return tuple(sorted(found, key=lambda each: each.seq))


def _hold(unit: Unit, history: _History, logged: Logged) -> Iterator[Violation]:
    event = logged.event
    if event.contact is not None:
        history.meet(event.contact)
    yield from _unpaid(history, logged.at)
    _settle(history, event)
    if event.kind in {"contacts_merged", "contacts_split"}:
        _join(history, logged)
    if event.case is not None and event.contact is not None:
        yield from _case(history, logged)
    if event.kind in _GROWS or event.kind == "contacts_merged":
        _owe(history, logged)
    yield from _handover(unit, history, logged)
    yield from _bot(history, logged)
    _move(history, event)


# ----- what the log says -------------------------------------------------------------------------


def _join(history: _History, logged: Logged) -> None:
    event = logged.event
    facts = event.facts or {}
    if event.contact is None:
        return
    fold, name = ContactId(str(facts.get("fold", ""))), str(facts.get("merge", ""))
    history.meet(fold)
    if event.kind == "contacts_merged":
        history.merges[name] = MergeRecord(
            id=name, keep=event.contact, fold=fold, at=logged.at, by="", why=""
        )
    else:
        history.merges.pop(name, None)
    history.rejoin()
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
            yield _violation("G3", logged, "a case was resolved without an acknowledgement")
        known.open = False


def _move(history: _History, event: Happened) -> None:
    if event.conversation is None:
        return
    held = history.held.get(event.conversation)
    if held is None:
        if event.contact is None:
            return
        held = history.held[event.conversation] = _Held(event.contact)
    state = _STATES.get(event.kind)
    if event.kind == "conversation_transferred":
        state = "agent" if (event.facts or {}).get("decision") else "queued"
    if state is not None:
        held.state = state
        held.agent = event.agent if state == "agent" else None


# ----- G1: nobody is handed a conversation in ignorance ------------------------------------------


def _handover(unit: Unit, history: _History, logged: Logged) -> Iterator[Violation]:
    event = logged.event
    name = str((event.facts or {}).get("decision", ""))
    if event.contact is None:
        return
    if not name:
        if event.kind in {"offer_made", "handed_to_bot", "conversation_taken"}:
            yield _violation("G1", logged, f"{event.kind} keeps no decision")
        return
    try:
        decision = unit.journal.decision(name)
    except NotFound:
        yield _violation("G1", logged, f"the decision of {event.kind} is not kept")
        return
    missed = set(history.open_cases(event.contact)) - set(decision.cases)
    for case in sorted(missed):
        yield _violation("G1", logged, f"{event.kind} did not include open case {case}", case=case)
    news = history.last_case_news.get(history.root(event.contact), 0)
    if decision.kind in {"offer", "bot"} and news > decision.seen_seq:
        yield _violation(
            "G1", logged, f"{event.kind} was decided at {decision.seen_seq}, before news {news}"
        )


# ----- G2: late news reaches the holder ----------------------------------------------------------


def _owe(history: _History, logged: Logged) -> None:
    event = logged.event
    if event.contact is None or not history.open_cases(event.contact):
        return
    person = history.root(event.contact)
    for name, held in history.held.items():
        if history.root(held.contact) != person or held.state not in {"agent", "bot"}:
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
        what = (
            "the agent was not alerted in time"
            if debt.settled_by == "alert_raised"
            else "the bot kept the conversation"
        )
        yield Violation(
            guarantee="G2",
            seq=debt.seq,
            at=debt.until,
            what=what,
            conversation=debt.conversation,
            case=debt.case,
        )


# ----- G3: no orphan -----------------------------------------------------------------------------


def _placed(unit: Unit, at: datetime) -> Iterator[Violation]:
    active = {agent.id for agent in unit.workforce.all() if agent.active}
    seq = unit.journal.seq()
    for case in unit.cases.all_open(limit=100_000):
        what = ""
        if (case.owner is None) == (case.queue is None):
            what = "an open case has no owner and no queue, or both"
        elif case.due_at is None:
            what = "an open case has no due time"
        elif case.owner is not None and case.owner not in active:
            what = "an open case is owned by somebody who has left"
        elif case.due_at + ESCALATED_WITHIN < at:
            what = "an overdue case was not escalated"
        if what:
            yield Violation(guarantee="G3", seq=seq, at=at, what=what, case=case.id)


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
            verb = "answered" if answers else "closed"
            yield _violation(
                "G4", logged, f"a bot {verb} over an open case of {case.severity}", case=name
            )


def _violation(
    guarantee: str, logged: Logged, what: str, *, case: CaseId | None = None
) -> Violation:
    event = logged.event
    return Violation(
        guarantee=guarantee,
        seq=logged.seq,
        at=logged.at,
        what=what,
        conversation=event.conversation,
        case=case or event.case,
    )
