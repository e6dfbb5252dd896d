"""The people who answer: made, edited, let go; their passwords and the API's tokens."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from router.domain.conversation import WrapUp
from router.domain.errors import Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId, Skill
from router.domain.policy import ShopPolicy
from router.domain.workforce import LEVELS, Agent, Presence, Role
from router.service.cases import enqueue
from router.service.ports import NotFound
from router.service.records import ApiToken, Credentials
from router.service.supervise import close, requeue
from router.service.unit import Unit

#: The most that one person can hold: four full shares of attention.
MOST_CAPACITY = 4.0
_FAMILIES = frozenset({"im", "social", "webchat", "voice", "email", "sms", "shop"})
_LONGEST_NAME = 80
_GROUP = re.compile(r"[\w-]{1,40}")
#: What every token of ours begins with, so that a leaked one is recognised.
TOKEN_PREFIX = "mst_"  # noqa: S105  a mark, not a secret
LANGUAGES = ("", "zh", "en")


def signed_in(unit: Unit, agent: AgentId, *, epoch: int) -> tuple[Agent, Credentials] | None:
    """Return the person of a session; None if it ended with a password or with the person."""
    try:
        held, credentials = unit.workforce.get(agent), unit.workforce.credentials(agent)
    except NotFound:
        return None
    if not held.active or credentials.session_epoch != epoch:
        return None
    return held, credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder:
    """Whom a token speaks for."""

    token: ApiToken
    agent: Agent
    credentials: Credentials

    def was_used(self, at: datetime) -> bool:
        """Say whether its use is worth writing down; once a minute is enough."""
        return self.token.used_at is None or at - self.token.used_at > timedelta(minutes=1)


def identified_by_token(unit: Unit, sha256: str) -> TokenHolder | None:
    """Return whom a token speaks for; None if it opens nothing."""
    token = unit.workforce.token(sha256)
    if token is None or token.revoked_at is not None:
        return None
    held = unit.workforce.get(token.agent)
    if not held.active:
        return None
    credentials = unit.workforce.credentials(token.agent)
    return TokenHolder(token=token, agent=held, credentials=credentials)


def use_token(unit: Unit, token: str, *, at: datetime) -> None:
    """Note when a token was last used."""
    unit.workforce.used_token(token, at=at)


def for_sign_in(unit: Unit, login: str) -> tuple[Agent, Credentials] | None:
    """Return who signs in under ``login``, if that person may."""
    held = unit.workforce.by_login(login)
    if held is None or not held.active:
        return None
    return held, unit.workforce.credentials(held.id)


def first_admin(
    unit: Unit, *, login: str, name: str, password_hash: str, at: datetime
) -> Agent | None:
    """Make the first administrator, who must choose a password; None if there are people."""
    if unit.workforce.all():
        return None
    agent = Agent(
        id=AgentId(unit.new_id()),
        login=login,
        name=name,
        role=Role.ADMIN,
        skills={},
        families=frozenset(),
        languages=frozenset(),
        capacity=1.0,
        presence=Presence.OFFLINE,
        presence_since=at,
        active=True,
    )
    unit.workforce.add(agent, password_hash=password_hash, must_change_password=True)
    unit.record(Happened(kind="agent_changed", agent=agent.id), at=at)
    return agent


def create_agent(
    unit: Unit,
    *,
    login: str,
    name: str,
    role: Role,
    skills: dict[Skill, int],
    families: frozenset[str],
    languages: frozenset[str],
    capacity: float,
    password_hash: str,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
    groups: frozenset[str] = frozenset(),
    active: bool = True,
) -> Agent:
    """Make a person with a one-time password, which must be changed at the first sign-in.

    Raises Invalid if the login is taken or a value is outside what is allowed.
    """
    _check_rank(unit, by, role)
    agent = Agent(
        id=AgentId(unit.new_id()),
        login=login.strip(),
        name=name.strip(),
        role=role,
        skills=skills,
        families=families,
        languages=languages,
        capacity=capacity,
        presence=Presence.OFFLINE,
        presence_since=at,
        active=active,
        groups=groups,
    )
    _check(agent, policy)
    unit.workforce.add(agent, password_hash=password_hash, must_change_password=True)
    _log(unit, agent.id, by, at=at)
    return agent


def edit_agent(
    unit: Unit,
    *,
    agent: AgentId,
    name: str,
    role: Role,
    skills: dict[Skill, int],
    families: frozenset[str],
    languages: frozenset[str],
    capacity: float,
    active: bool,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
    groups: frozenset[str] = frozenset(),
) -> Agent:
    """Change a person. Who is let go leaves nothing behind: cases and conversations go in line."""
    held = unit.workforce.lock(agent)
    _check_rank(unit, by, held.role)
    _check_rank(unit, by, role)
    if agent == by and (not active or role is not held.role):
        raise Invalid("role: nobody can let go or demote themselves")
    changed = replace(
        held,
        name=name.strip(),
        role=role,
        skills=skills,
        families=families,
        languages=languages,
        capacity=capacity,
        active=active,
        groups=groups,
    )
    _check(changed, policy)
    if held.active and not active:
        changed = replace(changed, presence=Presence.OFFLINE, presence_since=at, lapses=0)
    saved = unit.workforce.save(changed)
    if held.active and not active:
        unit.workforce.end_sessions(agent)
        _hand_back(unit, agent, by=by, policy=policy, at=at)
    _log(unit, agent, by, at=at)
    return saved


def _hand_back(
    unit: Unit, agent: AgentId, *, by: AgentId, policy: ShopPolicy, at: datetime
) -> None:
    """Put in line whatever a person holds; wrap-up that nobody will write is closed."""
    for held in unit.conversations.held_by(agent):
        if isinstance(held.state, WrapUp):
            close(unit, conversation=held.id, by=by, why="agent_left", at=at)
        else:
            queue = policy.queue(held.queue).name
            requeue(unit, conversation=held.id, queue=queue, by=by, policy=policy, at=at)
    while owned := [case for case in unit.cases.all_open(limit=100_000) if case.owner == agent]:
        for case in owned:
            enqueue(unit, case=case.id, queue=policy.case_queue, by=by, at=at)


def set_password(
    unit: Unit, *, agent: AgentId, password_hash: str, must_change: bool, by: AgentId, at: datetime
) -> int:
    """Set a password and end every session of the person; return the new session epoch."""
    if by != agent:
        _check_rank(unit, by, unit.workforce.get(agent).role)
    unit.workforce.set_password(agent, password_hash, must_change=must_change, end_sessions=True)
    _log(unit, agent, by, at=at)
    return unit.workforce.credentials(agent).session_epoch


def set_language(unit: Unit, *, agent: AgentId, language: str) -> None:
    """Set the language that a person reads pages in; empty means the browser's."""
    if language not in LANGUAGES:
        raise Invalid(f"language: {language[:20]!r} is not one of zh, en")
    unit.workforce.set_language(agent, language)


def end_sessions(unit: Unit, *, agent: AgentId, by: AgentId, at: datetime) -> None:
    """Sign a person out everywhere."""
    unit.workforce.end_sessions(agent)
    _log(unit, agent, by, at=at)


# ----- tokens ------------------------------------------------------------------------------------


def new_token() -> tuple[str, str]:
    """Return a bearer token of the API and the digest that is kept of it."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return token, sha256(token.encode()).hexdigest()


def create_token(unit: Unit, *, agent: AgentId, name: str, sha256: str, at: datetime) -> ApiToken:
    """Keep a token's digest; the token itself is shown once and kept nowhere."""
    if not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise Invalid(f"name: give the token a name of 1 to {_LONGEST_NAME} characters")
    token = ApiToken(
        id=unit.new_id(),
        agent=agent,
        name=name.strip(),
        created_at=at,
        used_at=None,
        revoked_at=None,
    )
    unit.workforce.add_token(token, sha256=sha256)
    return token


def revoke_token(unit: Unit, *, agent: AgentId, token: str, at: datetime) -> None:
    """Make one of a person's own tokens useless; raises NotFound if it is not theirs."""
    if token not in {each.id for each in unit.workforce.tokens(agent)}:
        raise NotFound(f"token {token} does not exist")
    unit.workforce.revoke_token(token, at=at)


# ----- rules --------------------------------------------------------------------------------------


def _check_rank(unit: Unit, by: AgentId, role: Role) -> None:
    """Only administrators make or change administrators."""
    if role is Role.ADMIN and unit.workforce.get(by).role is not Role.ADMIN:
        raise Invalid("role: only an administrator may make or change an administrator")


def _check(agent: Agent, policy: ShopPolicy) -> None:
    for field, value in (("login", agent.login), ("name", agent.name)):
        if not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
            raise Invalid(f"{field}: give 1 to {_LONGEST_NAME} printable characters")
    if not 0 < agent.capacity <= MOST_CAPACITY:
        raise Invalid(f"capacity: must be more than 0 and at most {MOST_CAPACITY:g}")
    for skill, level in agent.skills.items():
        if skill not in policy.skills:
            raise Invalid(f"skills: {skill[:40]} is not a skill of this shop")
        if level not in LEVELS:
            raise Invalid(f"skills: {skill} must be from 1 to 5, or be left out")
    strange = agent.families - _FAMILIES
    if strange:
        raise Invalid(f"families: {min(strange)[:40]} is not a kind of channel")
    if not all(map(_GROUP.fullmatch, agent.groups)):
        raise Invalid("groups: a group is 1 to 40 letters, digits, - or _")
    if agent.languages - {"zh", "en"}:
        raise Invalid("languages: only zh and en are known")


def _log(unit: Unit, agent: AgentId, by: AgentId, *, at: datetime) -> None:
    unit.record(Happened(kind="agent_changed", agent=agent, facts={"by": by}), at=at)
