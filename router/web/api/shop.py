"""The shop as a whole: board, queues, people, accounts, the policy in force."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from router.channel.accounts import Account, shown_settings
from router.domain.ids import AgentId, Skill
from router.domain.policy import ShopPolicy
from router.domain.workforce import Agent, Presence, Role
from router.service import people
from router.service.board import board as board_of
from router.service.desk import DISPOSITIONS, set_presence
from router.service.unit import Unit
from router.web.addresses import address_of
from router.web.api.cards import BoardShape, QueueShape
from router.web.api.mine import PresenceBody
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import AgentShape, NeedShape, Shape
from router.web.signin import DOOR

operations = Operations("shop")

Level = Annotated[int, Meta(ge=1, le=5)]


class AgentBody(msgspec.Struct, forbid_unknown_fields=True):
    """A person. Empty ``families`` and ``languages`` mean all.

    ``groups`` are names that the steps of a queue's plan may ask for.
    """

    name: str
    role: Role = Role.AGENT
    skills: dict[str, Level] = {}
    families: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    capacity: float = 1.0
    active: bool = True


class NewAgentBody(AgentBody, forbid_unknown_fields=True):
    """A new person, with the login to sign in under."""

    login: str = msgspec.field(default="")


class NewAgentShape(Shape, frozen=True):
    """A person who was just made. The password is shown this once and must be changed."""

    agent: AgentShape
    one_time_password: str


class PasswordShape(Shape, frozen=True):
    """A password that is shown this once and must be changed."""

    one_time_password: str


class AccountShape(Shape, frozen=True):
    """A channel account with its settings; secrets are hidden."""

    name: str
    channel: str
    title: dict[str, str]
    family: str
    transport: str
    queue: str
    replies: bool
    address: str
    settings: dict[str, Any]


class PolicyShape(Shape, frozen=True):
    """What routing and the complaint clocks go by now. Durations are in seconds."""

    version: str
    default_queue: str
    case_queue: str
    skills: dict[str, dict[str, str]]
    dispositions: tuple[str, ...]
    topics: dict[str, tuple[NeedShape, ...]]
    complaint_needs: dict[str, tuple[NeedShape, ...]]
    clocks: dict[str, tuple[float, ...]]
    reopen_within: float
    raw_kept: float
    routing: dict[str, Any]
    bot: dict[str, Any]
    shop: dict[str, str]


@operations.add("GET", "/board", answer=BoardShape, role=Role.SUPERVISOR)
async def board(asked: Asked) -> BoardShape:
    """Show the supervisor's view: queues, conversations, agents, cases, alerts."""
    return BoardShape.of(await _board(asked))


async def _board(asked: Asked) -> Any:
    return await asked.deps.store.read(
        board_of,
        me=asked.agent.id,
        policy=asked.deps.policy,
        weights=asked.deps.weights,
        at=asked.at,
    )


@operations.add("GET", "/queues", answer=tuple[QueueShape, ...], role=Role.SUPERVISOR)
async def list_queues(asked: Asked) -> tuple[QueueShape, ...]:
    """List the queues in numbers."""
    return tuple(map(QueueShape.of, (await _board(asked)).queues))


# ----- people -------------------------------------------------------------------------------------


@operations.add("GET", "/agents", answer=tuple[AgentShape, ...])
async def list_agents(asked: Asked) -> tuple[AgentShape, ...]:
    """List everybody who answers, former people too."""
    found = await asked.deps.store.read(_everybody)
    return tuple(map(AgentShape.of, found))


def _everybody(unit: Unit) -> tuple[Agent, ...]:
    return unit.workforce.all()


@operations.add("GET", "/agents/{agent}", answer=AgentShape)
async def get_agent(asked: Asked) -> AgentShape:
    """Show one person."""
    return AgentShape.of(await asked.deps.store.read(_agent, _id(asked)))


def _agent(unit: Unit, agent: AgentId) -> Agent:
    return unit.workforce.get(agent)


def _id(asked: Asked) -> AgentId:
    return AgentId(asked.part("agent"))


def _facts(body: AgentBody) -> dict[str, Any]:
    return {
        "name": body.name,
        "role": body.role,
        "skills": {Skill(name): level for name, level in body.skills.items()},
        "families": body.families,
        "languages": body.languages,
        "groups": body.groups,
        "capacity": body.capacity,
        "active": body.active,
    }


def one_time_password() -> str:
    """Return a password that somebody reads out to somebody else."""
    return secrets.token_urlsafe(12)


@operations.add(
    "POST",
    "/agents",
    answer=NewAgentShape,
    body=NewAgentBody,
    role=Role.SUPERVISOR,
    status=201,
)
async def create_agent(asked: Asked) -> NewAgentShape:
    """Make a person with a one-time password."""
    password = one_time_password()
    made = await asked.deps.store.transact(
        people.create_agent,
        login=asked.body.login,
        **_facts(asked.body),
        password_hash=await asked.request.app[DOOR].hash(password),
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return NewAgentShape(agent=AgentShape.of(made), one_time_password=password)


@operations.add("PUT", "/agents/{agent}", answer=AgentShape, body=AgentBody, role=Role.SUPERVISOR)
async def edit_agent(asked: Asked) -> AgentShape:
    """Change a person. Who is let go leaves cases and conversations to the queues."""
    changed = await asked.deps.store.transact(
        people.edit_agent,
        agent=_id(asked),
        **_facts(asked.body),
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return AgentShape.of(changed)


@operations.add(
    "PUT",
    "/agents/{agent}/presence",
    answer=AgentShape,
    body=PresenceBody,
    role=Role.SUPERVISOR,
)
async def set_agent_presence(asked: Asked) -> AgentShape:
    """Say for somebody else whether they take work."""
    presence: Presence = asked.body.presence
    changed = await asked.deps.store.transact(
        set_presence, agent=_id(asked), presence=presence, by=asked.agent.id, at=asked.at
    )
    return AgentShape.of(changed)


@operations.add("POST", "/agents/{agent}/password", answer=PasswordShape, role=Role.SUPERVISOR)
async def reset_password(asked: Asked) -> PasswordShape:
    """Give somebody a one-time password; every session of theirs ends."""
    password = one_time_password()
    await asked.deps.store.transact(
        people.set_password,
        agent=_id(asked),
        password_hash=await asked.request.app[DOOR].hash(password),
        must_change=True,
        by=asked.agent.id,
        at=asked.at,
    )
    return PasswordShape(one_time_password=password)


# ----- how it is set up ---------------------------------------------------------------------------


@operations.add("GET", "/accounts", answer=tuple[AccountShape, ...], role=Role.SUPERVISOR)
async def list_accounts(asked: Asked) -> tuple[AccountShape, ...]:
    """List the channel accounts with their settings; secrets are hidden."""
    public = asked.deps.settings.public_url
    return tuple(_account(each, public) for each in asked.deps.accounts.values())


def _account(account: Account, public_url: str) -> AccountShape:
    settings = shown_settings(account)
    return AccountShape(
        name=account.name,
        channel=account.channel.name,
        title=dict(account.channel.title),
        family=account.channel.family.value,
        transport=account.channel.transport,
        queue=account.queue,
        replies=account.channel.capabilities.replies,
        address=address_of(account, public_url),
        settings=msgspec.to_builtins(settings),
    )


@operations.add("GET", "/policy", answer=PolicyShape)
async def get_policy(asked: Asked) -> PolicyShape:
    """Say what routing and the complaint clocks go by now."""
    return policy_shape(asked.deps.policy)


def policy_shape(policy: ShopPolicy) -> PolicyShape:
    """Return the policy; durations become seconds."""
    return PolicyShape(
        version=policy.version,
        default_queue=policy.default_queue,
        case_queue=policy.case_queue,
        skills={name: dict(title) for name, title in policy.skills.items()},
        dispositions=DISPOSITIONS,
        topics={intent.value: _needs(needs) for intent, needs in policy.topics.items()},
        complaint_needs={
            str(severity): _needs(needs) for severity, needs in policy.complaint_needs.items()
        },
        clocks={
            str(severity): tuple(each.total_seconds() for each in clock.act_within)
            for severity, clock in policy.clocks.items()
        },
        reopen_within=policy.reopen_within.total_seconds(),
        raw_kept=policy.raw_kept.total_seconds(),
        routing=_plain(policy.routing),
        bot=_plain(policy.bot),
        shop=dict(policy.shop),
    )


def _needs(needs: frozenset[Any]) -> tuple[NeedShape, ...]:
    return tuple(NeedShape.of(need) for need in sorted(needs))


def _plain(value: Any) -> Any:
    """Return a policy's values as JSON has them: durations in seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime | str | int | float | bool) or value is None:
        return value
    if isinstance(value, (set, frozenset, tuple, list)):
        return [_plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return {str(name): _plain(each) for name, each in value.items()}
