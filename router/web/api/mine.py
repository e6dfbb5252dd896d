"""Oneself: presence, desk, offers, alerts, password, tokens."""

from datetime import datetime

import msgspec

from router.domain.ids import AgentId, ReservationId
from router.domain.workforce import Presence, Role
from router.service import leave, people
from router.service.desk import accept, decline
from router.service.desktop import desk as desk_of
from router.service.leave import wish_presence
from router.service.records import Alert, ApiToken
from router.service.unit import Unit
from router.web.api.cards import DeskShape
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import AgentShape, AlertShape, ConversationShape, Shape
from router.web.errors import Denied
from router.web.signin import DOOR, strong

operations = Operations("me")


class MeShape(Shape, frozen=True):
    """Who asks."""

    agent: AgentShape
    language: str
    must_change_password: bool


class PresenceBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whether one takes work."""

    presence: Presence
    why: str = ""


class LanguageBody(msgspec.Struct, forbid_unknown_fields=True):
    """The language of the pages: zh, en, or empty for the browser's."""

    language: str


class PasswordBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new password, and the one before."""

    current: str
    new: str


class TokenBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a token is called."""

    name: str


class TokenShape(Shape, frozen=True):
    """A token of the API; the token itself is shown once, when it is made."""

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class NewTokenShape(Shape, frozen=True):
    """A token that was just made. It is not shown again."""

    id: str
    token: str


class WhyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A reason, in words."""

    why: str = ""


@operations.add("GET", "/me", answer=MeShape)
async def me(asked: Asked) -> MeShape:
    """Say who asks."""
    return MeShape(
        agent=AgentShape.of(asked.agent),
        language=asked.me.credentials.language,
        must_change_password=asked.me.credentials.must_change_password,
    )


@operations.add("PUT", "/me/presence", answer=AgentShape, body=PresenceBody)
async def set_my_presence(asked: Asked) -> AgentShape:
    """Say whether one takes work now.

    Where that needs a supervisor's leave (`approve_presence`), ``why`` is asked of them and the
    answer shows the presence as it still is.
    """
    changed = await asked.deps.store.transact(
        wish_presence,
        agent=asked.agent.id,
        presence=asked.body.presence,
        why=asked.body.why,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return AgentShape.of(changed)


@operations.add("PUT", "/me/language", body=LanguageBody)
async def set_my_language(asked: Asked) -> None:
    """Choose the language of the pages."""
    await asked.deps.store.transact(
        people.set_language, agent=asked.agent.id, language=asked.body.language
    )


@operations.add("PUT", "/me/password", body=PasswordBody)
async def change_my_password(asked: Asked) -> None:
    """Change one's own password. Every session of the pages ends; tokens stay."""
    door = asked.request.app[DOOR]
    key = f"{asked.agent.id}\n{asked.request.remote}"
    if door.is_shut(key, asked.at):
        raise Denied("throttled", 429)
    if not await door.fits(asked.body.current, asked.me.credentials.password_hash):
        door.failed(key, asked.at)
        raise Denied("wrong_password", 409, field="current")
    if not strong(asked.body.new) or asked.body.new == asked.body.current:
        raise Denied("weak_password", 409, field="new")
    await asked.deps.store.transact(
        people.set_password,
        agent=asked.agent.id,
        password_hash=await door.hash(asked.body.new),
        must_change=False,
        by=asked.agent.id,
        at=asked.at,
    )


@operations.add("GET", "/me/tokens", answer=tuple[TokenShape, ...])
async def list_my_tokens(asked: Asked) -> tuple[TokenShape, ...]:
    """List one's own tokens, without the tokens themselves."""
    found = await asked.deps.store.read(tokens_of, asked.agent.id)
    return tuple(map(TokenShape.of, found))


def tokens_of(unit: Unit, agent: AgentId) -> tuple[ApiToken, ...]:
    """Return a person's tokens."""
    return unit.workforce.tokens(agent)


@operations.add("POST", "/me/tokens", answer=NewTokenShape, body=TokenBody, status=201)
async def create_my_token(asked: Asked) -> NewTokenShape:
    """Make a token that opens this API. It is shown this once."""
    token, digest = people.new_token()
    kept = await asked.deps.store.transact(
        people.create_token,
        agent=asked.agent.id,
        name=asked.body.name,
        sha256=digest,
        at=asked.at,
    )
    return NewTokenShape(id=kept.id, token=token)


@operations.add("DELETE", "/me/tokens/{token}")
async def revoke_my_token(asked: Asked) -> None:
    """Make one of one's own tokens useless."""
    await asked.deps.store.transact(
        people.revoke_token, agent=asked.agent.id, token=asked.part("token"), at=asked.at
    )


@operations.add("DELETE", "/me/sessions")
async def end_my_sessions(asked: Asked) -> None:
    """Sign out of the pages everywhere; tokens stay."""
    await asked.deps.store.transact(
        people.end_sessions, agent=asked.agent.id, by=asked.agent.id, at=asked.at
    )


# ----- the desk -----------------------------------------------------------------------------------


@operations.add("GET", "/desk", answer=DeskShape)
async def desk(asked: Asked) -> DeskShape:
    """Show one's own desk: offers with the person's complaints, conversations, cases, alerts."""
    found = await asked.deps.store.read(
        desk_of, me=asked.agent.id, policy=asked.deps.policy, at=asked.at
    )
    return DeskShape.of(found)


@operations.add("POST", "/offers/{reservation}/accept", answer=ConversationShape)
async def accept_offer(asked: Asked) -> ConversationShape:
    """Take what was offered. Open cases that nobody owns become one's own."""
    held = await asked.deps.store.transact(
        accept,
        reservation=ReservationId(asked.part("reservation")),
        by=asked.agent.id,
        at=asked.at,
    )
    return ConversationShape.of(held)


@operations.add("POST", "/offers/{reservation}/decline", answer=ConversationShape, body=WhyBody)
async def decline_offer(asked: Asked) -> ConversationShape:
    """Refuse an offer; the conversation keeps its place and goes to somebody else."""
    held = await asked.deps.store.transact(
        decline,
        reservation=ReservationId(asked.part("reservation")),
        by=asked.agent.id,
        why=asked.body.why,
        at=asked.at,
    )
    return ConversationShape.of(held)


@operations.add("GET", "/alerts", answer=tuple[AlertShape, ...])
async def list_alerts(asked: Asked) -> tuple[AlertShape, ...]:
    """List what one must look at now: one's own alerts, and a supervisor's those to all."""
    supervisor = asked.agent.supervises()
    found = await asked.deps.store.read(_alerts, asked.agent.id, supervisor=supervisor)
    return tuple(map(AlertShape.of, found))


def _alerts(unit: Unit, agent: AgentId, *, supervisor: bool) -> tuple[Alert, ...]:
    return unit.journal.alerts(agent, supervisor=supervisor)


@operations.add("POST", "/alerts/{alert}/approve", answer=AgentShape, role=Role.SUPERVISOR)
async def approve_presence(asked: Asked) -> AgentShape:
    """Grant what an agent asked for in a `presence_asked` alert."""
    return AgentShape.of(
        await asked.deps.store.transact(
            leave.approve, asked=asked.part("alert"), by=asked.agent.id, at=asked.at
        )
    )


@operations.add("POST", "/alerts/{alert}/decline", answer=AgentShape, role=Role.SUPERVISOR)
async def decline_presence(asked: Asked) -> AgentShape:
    """Refuse it; the agent is told and goes on taking work."""
    return AgentShape.of(
        await asked.deps.store.transact(
            leave.decline, asked=asked.part("alert"), by=asked.agent.id, at=asked.at
        )
    )


@operations.add("POST", "/alerts/{alert}/seen")
async def see_alert(asked: Asked) -> None:
    """Say that an alert was seen."""
    await asked.deps.store.transact(_see, asked.part("alert"), by=asked.agent.id, at=asked.at)


def _see(unit: Unit, alert: str, *, by: AgentId, at: datetime) -> None:
    unit.journal.see_alert(alert, by=by, at=at)
