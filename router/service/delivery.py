"""What became of an answer of ours: each step of its way out, as a transaction.

Recorded before it leaves: `depart` is committed before a call is carried, so that after a crash
nobody has to guess which calls may have arrived. What the platform accepted is `accepted` at once,
because its echo and its receipts may be under way already.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Call, Reason
from router.domain.conversation import responsible
from router.domain.errors import IllegalStep, PromotionHeld
from router.domain.events import Happened
from router.domain.ids import AccountName, AgentId, ContactId, ConversationId, OutboxId
from router.domain.timeline import Sending
from router.service.records import Alert, OutboxRow, OutboxState
from router.service.unit import Unit

#: Reasons that concern the account and not the message: a supervisor must look at them.
OURS = frozenset({Reason.ACCOUNT, Reason.CREDENTIALS})
#: The reason of an answer that a person took off the dead-letter list.
DROPPED = "dropped"

_STUCK = frozenset({OutboxState.REFUSED, OutboxState.DEAD, OutboxState.IN_DOUBT})
_SHOWN = {
    OutboxState.SENT: Sending.SENT,
    OutboxState.REFUSED: Sending.REFUSED,
    OutboxState.DEAD: Sending.DEAD,
    OutboxState.IN_DOUBT: Sending.DOUBT,
}
#: A receipt may be quicker than the answer to the call; it is not taken back.
_BEYOND_SENT = frozenset({Sending.DELIVERED, Sending.READ})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a daemon sends now, and when the next row is due of each account that has room left."""

    rows: tuple[OutboxRow, ...]
    due: Mapping[AccountName, datetime]


def claim(
    unit: Unit, *, by: str, now: datetime, until: datetime, rooms: Mapping[AccountName, int]
) -> Claimed:
    """Claim what is due, for each account in ``rooms`` no more than it has room for."""
    rows: list[OutboxRow] = []
    left: list[AccountName] = []
    waiting = unit.outbox.waiting()
    for account, room in rooms.items():
        if account not in waiting:
            continue
        found = unit.outbox.claim(by=by, now=now, until=until, limit=room, account=account)
        rows.extend(found)
        if len(found) < room:
            left.append(account)
    return Claimed(rows=tuple(rows), due=unit.outbox.due(left) if left else {})


def unclaimable(unit: Unit, *, accounts: Collection[AccountName]) -> frozenset[AccountName]:
    """Return accounts that have answers waiting and are not among ``accounts``."""
    return unit.outbox.waiting() - frozenset(accounts)


def depart(
    unit: Unit,
    row: OutboxId,
    *,
    by: str,
    until: datetime,
    at: datetime,
    calls: Sequence[Call] = (),
) -> bool:
    """Note that the next call leaves now; False if it must not, or if somebody else holds the row.

    ``calls`` are kept if they were made just now: they are made once. What is promotional and was
    not held in time, because it was on its way out already, is held here.
    """
    stands = _held(unit, row, by)
    if stands is not None and stands.promotional and not (stands.leaving or stands.next_call):
        contact = unit.conversations.get(stands.conversation).contact
        unit.contacts.lock(contact)
        if unit.cases.open_of(unit.contacts.members(contact)):
            _hold(unit, stands, at=at)
            return False
    if not unit.outbox.depart(row, by=by, until=until):
        return False
    if calls:
        unit.outbox.encoded(row, calls)
    return True


def keep_calls(unit: Unit, row: OutboxId, *, calls: Sequence[Call]) -> None:
    """Keep the calls before the first leaves, because making them cost an upload."""
    unit.outbox.encoded(row, calls)


def accepted(
    unit: Unit, row: OutboxId, *, part: int, parts: int, platform_id: str, at: datetime
) -> None:
    """Note that the platform took call number ``part`` (from 0) of ``parts``.

    It is true whoever holds the row by now: one that was put in doubt meanwhile is in doubt no
    more.
    """
    stands = unit.outbox.get(row)
    if platform_id:
        unit.outbox.remember_sent(stands.account, platform_id, stands.interaction)
    done = max(stands.next_call, part + 1)
    unit.outbox.progressed(row, next_call=done)
    if done >= parts:
        _settle(unit, stands, OutboxState.SENT, why="", reason="", at=at)


def deferred(
    unit: Unit, row: OutboxId, *, by: str, until: datetime, why: str, reason: str = ""
) -> None:
    """Try again at ``until``. Nothing happens if somebody else holds the row."""
    if _held(unit, row, by) is not None:
        unit.outbox.defer(row, until=until, why=why, reason=reason)


def released(unit: Unit, row: OutboxId, *, by: str) -> None:
    """Give back a row of which nothing has left."""
    stands = _held(unit, row, by)
    if stands is not None and not stands.leaving:
        unit.outbox.release(row)


def refused(unit: Unit, row: OutboxId, *, by: str, reason: Reason, why: str, at: datetime) -> None:
    """The platform will not have it. Whoever answers for the conversation is told."""
    stands = _held(unit, row, by)
    if stands is None:
        return
    _settle(unit, stands, OutboxState.REFUSED, why=why, reason=reason.value, at=at)
    _tell(unit, stands, kind="reply_refused", why=reason.value, at=at)


def account_refused(
    unit: Unit, account: AccountName, *, reason: Reason, until: datetime, at: datetime
) -> None:
    """The platform refuses the account itself: tell the supervisors that it rests a while."""
    facts = {"account": account, "reason": reason.value, "until": until.isoformat()}
    _alert(unit, None, kind="account_refused", conversation=None, facts=facts, at=at)


def dead(unit: Unit, row: OutboxId, *, by: str, why: str, reason: str, at: datetime) -> None:
    """Give up trying; the row stands on the dead-letter list until a person decides."""
    stands = _held(unit, row, by)
    if stands is None:
        return
    _settle(unit, stands, OutboxState.DEAD, why=why, reason=reason, at=at)
    _tell(unit, stands, kind="reply_dead", why=reason, at=at)
    _alert_supervisors(unit, stands, kind="reply_dead", at=at)


def doubted(unit: Unit, row: OutboxId, *, by: str, why: str, at: datetime) -> None:
    """Nobody knows whether the call arrived; a person decides, nothing is sent again by itself."""
    stands = _held(unit, row, by)
    if stands is not None:
        _doubt(unit, stands, why=why, at=at)


def faulted(
    unit: Unit, row: OutboxId, *, by: str, until: datetime, most: int, why: str, at: datetime
) -> None:
    """Something of ours broke while the row was sent: it is in doubt if its call may have left.

    Else it is tried again at ``until``, and is dead after ``most`` attempts.
    """
    stands = _held(unit, row, by)
    if stands is None:
        return
    if stands.leaving:
        _doubt(unit, stands, why=why, at=at)
    elif stands.attempts + 1 >= most:
        dead(unit, row, by=by, why=why, reason="fault", at=at)
    else:
        unit.outbox.defer(row, until=until, why=why, reason="fault")


def recover(
    unit: Unit, *, now: datetime, repeatable: Collection[AccountName]
) -> tuple[tuple[OutboxRow, OutboxState], ...]:
    """Take up the rows of daemons that died; return each with what it is now.

    What had not left is queued as it was. What may have left is sent again only on accounts in
    ``repeatable`` (whose platform takes our message id as a key); else it is in doubt.
    """
    found: list[tuple[OutboxRow, OutboxState]] = []
    for row in unit.outbox.abandoned(now=now):
        if not row.leaving:
            unit.outbox.release(row.id)
            found.append((row, OutboxState.QUEUED))
        elif row.account in repeatable:
            unit.outbox.defer(row.id, until=now, why="its daemon ended while it was being sent")
            found.append((row, OutboxState.QUEUED))
        else:
            _doubt(unit, row, why="its daemon ended while it was being sent", at=now)
            found.append((row, OutboxState.IN_DOUBT))
    return tuple(found)


# ----- a person decides --------------------------------------------------------------------------


def requeue(unit: Unit, row: OutboxId, *, by: AgentId, at: datetime) -> None:
    """Try again, from the first call that the platform has not accepted.

    Raises IllegalStep unless the row is refused, dead or in doubt, and PromotionHeld for what is
    promotional while the person has an open complaint.
    """
    stands = _stuck(unit, row)
    contact = unit.conversations.get(stands.conversation).contact
    if stands.promotional and unit.cases.open_of(unit.contacts.members(contact)):
        raise PromotionHeld("the contact has an open complaint; nothing promotional goes out")
    unit.outbox.requeue(row, at=at)
    unit.conversations.set_sending(stands.interaction, Sending.QUEUED)
    facts = {"interaction": stands.interaction, "by": "again"}
    unit.record(
        Happened(
            kind="reply_queued",
            contact=contact,
            conversation=stands.conversation,
            agent=by,
            facts=facts,
        ),
        at=at,
    )


def drop(unit: Unit, row: OutboxId, *, by: AgentId, at: datetime) -> None:
    """Let an answer go: it is not sent, and leaves the list of what somebody must look at.

    Raises IllegalStep unless the row is refused, dead or in doubt.
    """
    stands = _stuck(unit, row)
    _settle(unit, stands, OutboxState.REFUSED, why="", reason=DROPPED, at=at, agent=by)


def confirm(unit: Unit, row: OutboxId, *, by: AgentId, at: datetime) -> None:
    """Somebody has seen that an answer in doubt arrived, as a whole.

    Raises IllegalStep unless the row is in doubt.
    """
    stands = unit.outbox.get(row)
    if stands.state is not OutboxState.IN_DOUBT:
        raise IllegalStep(f"answer {row} is {stands.state}, not in doubt")
    unit.outbox.progressed(row, next_call=len(stands.calls))
    _settle(unit, stands, OutboxState.SENT, why="", reason="", at=at, agent=by)


# ----- what they share ---------------------------------------------------------------------------


def _held(unit: Unit, row: OutboxId, by: str) -> OutboxRow | None:
    stands = unit.outbox.get(row)
    return stands if stands.state is OutboxState.SENDING and stands.claimed_by == by else None


def _stuck(unit: Unit, row: OutboxId) -> OutboxRow:
    stands = unit.outbox.get(row)
    if stands.state not in _STUCK:
        raise IllegalStep(f"answer {row} is {stands.state}; there is nothing to decide")
    return stands


def _doubt(unit: Unit, row: OutboxRow, *, why: str, at: datetime) -> None:
    _settle(unit, row, OutboxState.IN_DOUBT, why=why, reason="in_doubt", at=at)
    _tell(unit, row, kind="reply_in_doubt", why="in_doubt", at=at)
    _alert_supervisors(unit, row, kind="reply_in_doubt", at=at)


def _settle(
    unit: Unit,
    row: OutboxRow,
    state: OutboxState,
    *,
    why: str,
    reason: str,
    at: datetime,
    agent: AgentId | None = None,
) -> None:
    """Write the end of a row, show it on the timeline and say so."""
    unit.outbox.settle(row.id, state, at=at, why=why, reason=reason)
    sending = _SHOWN[state]
    ours = unit.conversations.interaction(row.interaction)
    if sending is not Sending.SENT or ours.sending not in _BEYOND_SENT:
        unit.conversations.set_sending(row.interaction, sending, why=reason)
    unit.record(
        Happened(
            kind="reply_settled",
            contact=ours.contact,
            conversation=row.conversation,
            agent=agent,
            facts={"interaction": row.interaction, "sending": sending.value, "why": reason},
        ),
        at=at,
    )


def hold_promotions(unit: Unit, contact: ContactId, *, at: datetime) -> None:
    """Keep back what is promotional and has not left: the person has complained meanwhile.

    It stands as refused, and goes out only by a colleague's word once nothing is open.
    """
    for row in unit.outbox.promotions(unit.contacts.members(contact)):
        _hold(unit, row, at=at)


def _hold(unit: Unit, row: OutboxRow, *, at: datetime) -> None:
    _settle(unit, row, OutboxState.REFUSED, why="", reason=PromotionHeld.code, at=at)
    _tell(unit, row, kind="reply_refused", why=PromotionHeld.code, at=at)


def _tell(unit: Unit, row: OutboxRow, *, kind: str, why: str, at: datetime) -> None:
    """Tell whoever answers for the conversation now; every supervisor if nobody does."""
    agent = responsible(unit.conversations.get(row.conversation).state)
    facts = {"outbox": row.id, "account": row.account, "reason": why}
    _alert(unit, agent, kind=kind, conversation=row.conversation, facts=facts, at=at)


def _alert_supervisors(unit: Unit, row: OutboxRow, *, kind: str, at: datetime) -> None:
    """Tell the supervisors too, unless `_tell` has told them already."""
    if responsible(unit.conversations.get(row.conversation).state) is not None:
        facts = {"outbox": row.id, "account": row.account}
        _alert(unit, None, kind=kind, conversation=row.conversation, facts=facts, at=at)


def _alert(
    unit: Unit,
    agent: AgentId | None,
    *,
    kind: str,
    conversation: ConversationId | None,
    facts: Mapping[str, str],
    at: datetime,
) -> None:
    unit.journal.alert(
        Alert(
            id=unit.new_id(),
            at=at,
            agent=agent,
            kind=kind,
            conversation=conversation,
            case=None,
            facts=facts,
            seen_at=None,
        )
    )
    unit.record(
        Happened(
            kind="alert_raised", agent=agent, conversation=conversation, facts={"alert": kind}
        ),
        at=at,
    )
