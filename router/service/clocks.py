"""What time alone brings about: overdue cases, alarms, wrap-ups, what wakes or lapses."""

from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.conversation import Close, Parked, Resume, WithBot, WrapUp, step
from router.domain.events import Happened
from router.domain.policy import ShopPolicy
from router.service.alarms import nearly_due, raise_alarms
from router.service.answer import close_silent
from router.service.cases import escalate_overdue
from router.service.knowledge import any_lapsed, turn_over
from router.service.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What one look at the clock changed."""

    escalated: int
    wrapped_up: int
    woken: int
    silent: int
    lapsed: int
    alarms: int


def anything_due(unit: Unit, *, policy: ShopPolicy, at: datetime) -> bool:
    """Return whether `ring` would change anything; asked every second, so it only reads."""
    if unit.cases.overdue(at, limit=1) or any_lapsed(unit, at=at):
        return True
    if any(True for _held in nearly_due(unit, policy=policy, at=at)):
        return True
    routing = policy.routing
    for held in unit.conversations.in_state(WrapUp, Parked, WithBot):
        match held.state:
            case WrapUp(since=since) if since + routing.wrap_up_lasts <= at:
                return True
            case Parked(until=until) if until <= at:
                return True
            case WithBot(since=since) if since + routing.idle_after <= at:
                return True
            case _:
                continue
    return False


def ring(unit: Unit, *, policy: ShopPolicy, at: datetime) -> Rung:
    """Do everything whose time has come."""
    escalated = len(escalate_overdue(unit, policy=policy, at=at))
    wrapped_up = woken = 0
    for held in unit.conversations.in_state(WrapUp, Parked):
        if isinstance(held.state, WrapUp) and (
            held.state.since + policy.routing.wrap_up_lasts <= at
        ):
            unit.conversations.save(
                replace(
                    held,
                    state=step(held.state, Close(at=at)),
                    closed_at=at,
                    waiting_since=None,
                    disposition=held.disposition or "not_recorded",
                )
            )
            kind, wrapped_up = "conversation_closed", wrapped_up + 1
        elif isinstance(held.state, Parked) and held.state.until <= at:
            unit.conversations.save(replace(held, state=step(held.state, Resume(at=at))))
            kind, woken = "conversation_resumed", woken + 1
        else:
            continue
        unit.record(
            Happened(kind=kind, contact=held.contact, conversation=held.id, agent=held.state.agent),
            at=at,
        )
    silent = close_silent(unit, policy=policy, at=at)
    return Rung(
        escalated=escalated,
        wrapped_up=wrapped_up,
        woken=woken,
        silent=silent,
        lapsed=turn_over(unit, at=at),
        alarms=raise_alarms(unit, policy=policy, at=at),
    )
