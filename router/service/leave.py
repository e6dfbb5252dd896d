"""Asking for leave to stop taking work: an agent says why, a supervisor says yes or no."""

from datetime import datetime

from router.domain.errors import IllegalStep, Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId
from router.domain.policy import ShopPolicy
from router.domain.workforce import Agent, Presence
from router.service.desk import set_presence
from router.service.ports import NotFound
from router.service.records import Alert
from router.service.unit import Unit

#: The kinds of alerts: to the supervisors, and back to the agent.
ASKED, DECLINED = "presence_asked", "presence_declined"
#: So many alerts are looked through for what an agent has asked.
_MOST = 1000
_LONGEST = 200


def wish_presence(
    unit: Unit, *, agent: AgentId, presence: Presence, why: str, policy: ShopPolicy, at: datetime
) -> Agent:
    """Set one's own presence, or ask a supervisor where that needs leave; return the agent.

    Leave is needed for what `approve_presence` of routing.toml names, by who takes work and does
    not supervise. Then the presence stays until somebody answers. Raises Invalid if no reason is
    given for it, or one that is too long.
    """
    held = unit.workforce.lock(agent)
    if not needs_leave(held, presence, policy):
        _withdraw(unit, agent, by=agent, at=at)
        return set_presence(unit, agent=agent, presence=presence, by=agent, at=at)
    if not why.strip():
        raise Invalid("why: a supervisor must approve this; say why")
    if len(why) > _LONGEST:
        raise Invalid(f"why: at most {_LONGEST} characters")
    _withdraw(unit, agent, by=agent, at=at)
    _tell(
        unit,
        ASKED,
        to=None,
        facts={"agent": agent, "name": held.name, "presence": presence, "why": why.strip()},
        about=agent,
        at=at,
    )
    return held


def needs_leave(agent: Agent, presence: Presence, policy: ShopPolicy) -> bool:
    """Return whether an agent who sets this presence must ask first."""
    return (
        presence in policy.routing.approve_presence
        and agent.presence is Presence.AVAILABLE
        and not agent.supervises()
    )


def approve(unit: Unit, *, asked: str, by: AgentId, at: datetime) -> Agent:
    """Grant what was asked; raises NotFound, or IllegalStep if the agent takes no work any more."""
    found = _pending(unit, asked, by=by, at=at)
    agent = unit.workforce.get(AgentId(found.facts["agent"]))
    if agent.presence is not Presence.AVAILABLE:
        raise IllegalStep(f"the agent is {agent.presence} already")
    wished = Presence(found.facts["presence"])
    return set_presence(unit, agent=agent.id, presence=wished, by=by, at=at)


def decline(unit: Unit, *, asked: str, by: AgentId, at: datetime) -> Agent:
    """Refuse what was asked, and tell the agent; raises NotFound."""
    found = _pending(unit, asked, by=by, at=at)
    agent = unit.workforce.get(AgentId(found.facts["agent"]))
    facts = {"presence": found.facts["presence"], "by": by}
    _tell(unit, DECLINED, to=agent.id, facts=facts, about=agent.id, at=at)
    return agent


def _pending(unit: Unit, asked: str, *, by: AgentId, at: datetime) -> Alert:
    """Return what was asked and put it away: it is answered once. Raises NotFound."""
    for each in unit.journal.alerts(by, supervisor=True, limit=_MOST):
        if each.id == asked and each.kind == ASKED:
            unit.workforce.lock(AgentId(each.facts["agent"]))
            unit.journal.see_alert(each.id, by=by, at=at)
            return each
    raise NotFound("nobody asked for this, or it was answered")


def _withdraw(unit: Unit, agent: AgentId, *, by: AgentId, at: datetime) -> None:
    """Put away what the agent had asked before: the last word counts."""
    for each in unit.journal.alerts(agent, supervisor=True, limit=_MOST):
        if each.kind == ASKED and each.facts["agent"] == agent:
            unit.journal.see_alert(each.id, by=by, at=at)


def _tell(
    unit: Unit,
    kind: str,
    *,
    to: AgentId | None,
    facts: dict[str, str],
    about: AgentId,
    at: datetime,
) -> None:
    unit.journal.alert(
        Alert(
            id=unit.new_id(),
            at=at,
            agent=to,
            kind=kind,
            conversation=None,
            case=None,
            facts=facts,
            seen_at=None,
        )
    )
    unit.record(Happened(kind=kind, agent=about, facts={"presence": facts["presence"]}), at=at)
