"""The repository of the people who answer: agents, sign-in, reservations, API tokens."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.conversation import Offered, WithAgent, WrapUp
from router.domain.errors import Invalid
from router.domain.ids import AccountName, AgentId, ConversationId, ReservationId, Skill
from router.domain.workforce import Agent, Presence, Role
from router.service.records import ApiToken, Credentials, Reservation
from router.store.codec import dump, load
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_be_there, must_change, one, the
from router.store.sets import Found, ask_all, by_keys
from router.store.tables import agents, api_tokens, conversations, reservations

#: The states in which a conversation takes an agent's capacity (see `conversation.holder`).
_HOLDING = tuple(state.__name__ for state in (Offered, WithAgent, WrapUp))

_the_agent = agents.c.id == sa.bindparam("of")
_ADD = insert_new(agents, unless=("login",))
_GET = sa.select(agents).where(_the_agent)
_LOCK = _GET.with_for_update()
_BY_LOGIN = sa.select(agents).where(agents.c.login == sa.bindparam("of_login"))
_ALL = sa.select(agents).order_by(agents.c.name, agents.c.id)
_NAMES = sa.select(agents.c.id, agents.c.name)
_SAVE = sa.update(agents).where(_the_agent, agents.c.version == sa.bindparam("expected"))
_WRITE = sa.update(agents).where(_the_agent)
_END_SESSIONS = _WRITE.values(session_epoch=agents.c.session_epoch + 1)
_LOAD = (
    sa.select(conversations.c.account, sa.func.count())
    .where(conversations.c.agent_id == sa.bindparam("of"), conversations.c.state.in_(_HOLDING))
    .group_by(conversations.c.account)
)
_RESERVE = sa.insert(reservations)
_RESERVATION = sa.select(reservations).where(reservations.c.id == sa.bindparam("of"))
_RESERVATIONS = by_keys(lambda among: sa.select(reservations).where(among(reservations.c.id)))
_END = sa.update(reservations).where(
    reservations.c.id == sa.bindparam("of"), reservations.c.ended == ""
)
_ADD_TOKEN = sa.insert(api_tokens)
_TOKEN = sa.select(api_tokens).where(
    api_tokens.c.sha256 == sa.bindparam("of_sha256"), api_tokens.c.revoked_at.is_(None)
)
_TOKENS = (
    sa.select(api_tokens)
    .where(api_tokens.c.agent_id == sa.bindparam("of"))
    .order_by(api_tokens.c.created_at, api_tokens.c.id)
)
_WRITE_TOKEN = sa.update(api_tokens).where(api_tokens.c.id == sa.bindparam("of"))
_REVOKE = _WRITE_TOKEN.where(api_tokens.c.revoked_at.is_(None))


class SqlWorkforce:
    """Agents, their sign-in, and reservations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, agent: Agent, *, password_hash: str, must_change_password: bool) -> None:
        """Insert; a taken login raises Invalid."""
        sign_in = {"password_hash": password_hash, "must_change_password": must_change_password}
        values = {"id": agent.id, **_values(agent), **sign_in, "version": agent.version}
        if not insert(self._connection, _ADD, values):
            raise Invalid(f"login: {agent.login} is taken; choose another")

    def get(self, agent: AgentId) -> Agent:
        """Return an agent; raises NotFound."""
        return _agent(the(self._connection, _GET, {"of": agent}, f"agent {agent}"))

    def by_login(self, login: str) -> Agent | None:
        """Return the agent who signs in as ``login``, inactive ones too."""
        row = one(self._connection, _BY_LOGIN, {"of_login": login})
        return None if row is None else _agent(row)

    def all(self) -> tuple[Agent, ...]:
        """Return every agent, inactive ones too, by name."""
        return tuple(map(_agent, many(self._connection, _ALL)))

    def names(self) -> Mapping[AgentId, str]:
        """Return the name of everybody who works or worked here."""
        rows = self._connection.execute(_NAMES).all()
        return {AgentId(name): called for name, called in rows}

    def save(self, agent: Agent) -> Agent:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        keys = {"of": agent.id, "expected": agent.version, "version": agent.version + 1}
        problem = f"agent {agent.id} was changed meanwhile"
        must_change(self._connection, _SAVE, {**keys, **_values(agent)}, problem)
        return replace(agent, version=agent.version + 1)

    def lock(self, agent: AgentId) -> Agent:
        """Hold the agent against other transactions and return the current row."""
        return _agent(the(self._connection, _LOCK, {"of": agent}, f"agent {agent}"))

    def load(self, agent: AgentId, weights: Callable[[AccountName], float]) -> float:
        """Return the sum of weights (by account) of what takes of the agent's capacity now."""
        held = self._connection.execute(_LOAD, {"of": agent}).all()
        return sum((weights(AccountName(account)) * count for account, count in held), 0.0)

    def credentials(self, agent: AgentId) -> Credentials:
        """Return what sign-in needs; raises NotFound."""
        row = the(self._connection, _GET, {"of": agent}, f"agent {agent}")
        return Credentials(
            agent=AgentId(row["id"]),
            password_hash=row["password_hash"],
            must_change_password=row["must_change_password"],
            session_epoch=row["session_epoch"],
            language=row["language"],
        )

    def set_password(
        self, agent: AgentId, password_hash: str, *, must_change: bool, end_sessions: bool
    ) -> None:
        """Replace the password; with ``end_sessions`` every session has to sign in again."""
        self._write(agent, password_hash=password_hash, must_change_password=must_change)
        if end_sessions:
            self.end_sessions(agent)

    def set_language(self, agent: AgentId, language: str) -> None:
        """Keep the language in which the person wants the pages."""
        self._write(agent, language=language)

    def end_sessions(self, agent: AgentId) -> None:
        """Make every session of the person sign in again."""
        self._connection.execute(_END_SESSIONS, {"of": agent})

    def _write(self, agent: AgentId, **values: Any) -> None:
        must_be_there(self._connection, _WRITE, {"of": agent, **values}, f"agent {agent}")

    def reserve(self, reservation: Reservation) -> None:
        """Insert a reservation."""
        self._connection.execute(
            _RESERVE,
            {
                "id": reservation.id,
                "conversation_id": reservation.conversation,
                "agent_id": reservation.agent,
                "weight": reservation.weight,
                "offered_at": reservation.offered_at,
                "until": reservation.until,
                "ended": reservation.ended,
                "ended_at": reservation.ended_at,
                "seen_seq": reservation.seen_seq,
                "fence": reservation.fence,
            },
        )

    def reservation(self, reservation: ReservationId) -> Reservation:
        """Return a reservation; raises NotFound."""
        what = f"reservation {reservation}"
        return _reservation(the(self._connection, _RESERVATION, {"of": reservation}, what))

    def reservations(
        self, reservations: Collection[ReservationId]
    ) -> Mapping[ReservationId, Reservation]:
        """Return those of ``reservations`` that exist."""
        found = map(_reservation, ask_all(self._connection, _RESERVATIONS, tuple(reservations)))
        return {each.id: each for each in found}

    def end_reservation(self, reservation: ReservationId, *, how: str, at: datetime) -> None:
        """Note how it ended; raises Conflict if it has ended already."""
        values = {"of": reservation, "ended": how, "ended_at": at}
        must_change(self._connection, _END, values, f"reservation {reservation} has ended")

    def add_token(self, token: ApiToken, *, sha256: str) -> None:
        """Insert a bearer token, of which only the SHA-256 is kept."""
        self._connection.execute(
            _ADD_TOKEN,
            {
                "id": token.id,
                "sha256": sha256,
                "agent_id": token.agent,
                "name": token.name,
                "created_at": token.created_at,
                "used_at": token.used_at,
                "revoked_at": token.revoked_at,
            },
        )

    def token(self, sha256: str) -> ApiToken | None:
        """Return the token that opens the API; None if there is none or it was revoked."""
        row = one(self._connection, _TOKEN, {"of_sha256": sha256})
        return None if row is None else _token(row)

    def tokens(self, agent: AgentId) -> tuple[ApiToken, ...]:
        """Return a person's tokens, revoked ones too, oldest first."""
        return tuple(map(_token, many(self._connection, _TOKENS, {"of": agent})))

    def used_token(self, token_id: str, *, at: datetime) -> None:
        """Note when a token was last used."""
        self._connection.execute(_WRITE_TOKEN, {"of": token_id, "used_at": at})

    def revoke_token(self, token_id: str, *, at: datetime) -> None:
        """Make a token open nothing any more; raises Conflict if it was revoked before."""
        values = {"of": token_id, "revoked_at": at}
        must_change(self._connection, _REVOKE, values, f"token {token_id} is not in force")


def _values(agent: Agent) -> dict[str, Any]:
    return {
        "login": agent.login,
        "name": agent.name,
        "role": agent.role.value,
        "skills": dump(agent.skills),
        "families": dump(agent.families),
        "languages": dump(agent.languages),
        "groups": dump(agent.groups),
        "capacity": agent.capacity,
        "presence": agent.presence.value,
        "presence_since": agent.presence_since,
        "active": agent.active,
        "lapses": agent.lapses,
    }


def _agent(row: RowMapping) -> Agent:
    return Agent(
        id=AgentId(row["id"]),
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        skills=load(dict[Skill, int], row["skills"]),
        families=load(frozenset[str], row["families"]),
        languages=load(frozenset[str], row["languages"]),
        capacity=row["capacity"],
        presence=Presence(row["presence"]),
        presence_since=row["presence_since"],
        active=row["active"],
        lapses=row["lapses"],
        version=row["version"],
        groups=load(frozenset[str], row["groups"]),
    )


def _reservation(row: Found) -> Reservation:
    return Reservation(
        id=ReservationId(row["id"]),
        conversation=ConversationId(row["conversation_id"]),
        agent=AgentId(row["agent_id"]),
        weight=row["weight"],
        offered_at=row["offered_at"],
        until=row["until"],
        ended=row["ended"],
        ended_at=row["ended_at"],
        seen_seq=row["seen_seq"],
        fence=row["fence"],
    )


def _token(row: RowMapping) -> ApiToken:
    return ApiToken(
        id=row["id"],
        agent=AgentId(row["agent_id"]),
        name=row["name"],
        created_at=row["created_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
    )
