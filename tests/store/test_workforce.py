"""Agents sign in, hold what their capacity allows, and are offered work once at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.conversation import Offered, Parked, Queued, State, WithAgent, WrapUp
from router.domain.errors import Invalid
from router.domain.ids import AccountName, AgentId, ReservationId, Skill
from router.domain.workforce import Agent, Presence, Role
from router.service.ports import Conflict, NotFound
from router.service.records import ApiToken, Credentials
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_conversation, a_reservation, an_agent

LATER = NOW + timedelta(minutes=5)
AGENT = AgentId("agent-1")


def hire(unit: SqlUnit, agent: Agent) -> None:
    """Add somebody who must choose a password."""
    unit.workforce.add(agent, password_hash="$argon2id$1", must_change_password=True)


async def test_an_agent_comes_back_as_they_were_given(store: SqlStore) -> None:
    given = an_agent(
        name="欧阳 🎧",
        role=Role.SUPERVISOR,
        skills={Skill("海外"): 1},
        families=frozenset({"voice", "im"}),
        languages=frozenset(),
        capacity=2.5,
        presence=Presence.LAPSED,
        active=False,
        lapses=3,
        version=6,
    )
    await store.transact(hire, given)
    assert await store.read(lambda unit: unit.workforce.get(AGENT)) == given
    assert await store.read(lambda unit: unit.workforce.by_login("agent-1")) == given
    assert await store.transact(lambda unit: unit.workforce.lock(AGENT)) == given


async def test_a_taken_login_is_refused_with_a_way_out(store: SqlStore) -> None:
    await store.transact(hire, an_agent())
    with pytest.raises(Invalid, match="choose another"):
        await store.transact(hire, an_agent("agent-2", login="agent-1"))


async def test_nobody_is_not_found(store: SqlStore) -> None:
    nobody = AgentId("nobody")
    for verb in (
        lambda unit: unit.workforce.get(nobody),
        lambda unit: unit.workforce.lock(nobody),
        lambda unit: unit.workforce.credentials(nobody),
        lambda unit: unit.workforce.set_language(nobody, "en"),
        lambda unit: unit.workforce.reservation(ReservationId("none")),
    ):
        with pytest.raises(NotFound):
            await store.transact(verb)
    assert await store.read(lambda unit: unit.workforce.by_login("nobody")) is None


async def test_everybody_is_listed_by_name(store: SqlStore) -> None:
    for login, name, active in (("c", "Chen", True), ("a", "Anna", False), ("b", "Bao", True)):
        await store.transact(hire, an_agent(login, name=name, active=active))
    found = await store.read(lambda unit: unit.workforce.all())
    assert [agent.name for agent in found] == ["Anna", "Bao", "Chen"]


async def test_saving_returns_the_next_version_and_keeps_the_sign_in(store: SqlStore) -> None:
    first = an_agent()
    await store.transact(hire, first)
    busy = replace(first, presence=Presence.BUSY, presence_since=LATER)
    second = await store.transact(lambda unit: unit.workforce.save(busy))
    assert second == replace(busy, version=1)
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.workforce.save(first))
    kept = await store.read(lambda unit: unit.workforce.credentials(AGENT))
    assert kept.password_hash == "$argon2id$1"


async def test_a_new_password_ends_sessions_only_where_it_must(store: SqlStore) -> None:
    await store.transact(hire, an_agent())

    def change(unit: SqlUnit, secret: str, *, end: bool) -> Credentials:
        unit.workforce.set_password(AGENT, secret, must_change=False, end_sessions=end)
        return unit.workforce.credentials(AGENT)

    before = await store.read(lambda unit: unit.workforce.credentials(AGENT))
    assert (before.must_change_password, before.session_epoch) == (True, 0)
    own = await store.transact(change, "$argon2id$2", end=False)
    reset = await store.transact(change, "$argon2id$3", end=True)
    await store.transact(lambda unit: unit.workforce.end_sessions(AGENT))
    await store.transact(lambda unit: unit.workforce.set_language(AGENT, "en"))
    after = await store.read(lambda unit: unit.workforce.credentials(AGENT))
    assert (own.password_hash, own.must_change_password, own.session_epoch) == (
        "$argon2id$2",
        False,
        0,
    )
    assert (reset.session_epoch, after.session_epoch, after.language) == (1, 2, "en")


async def test_load_weighs_what_takes_capacity_and_not_what_is_parked(store: SqlStore) -> None:
    held: tuple[tuple[str, State], ...] = (
        ("wechat", WithAgent(agent=AGENT, since=NOW)),
        ("wechat", WrapUp(agent=AGENT, since=NOW)),
        (
            "phone",
            Offered(reservation=ReservationId("r"), agent=AGENT, since=NOW, until=LATER),
        ),
        ("wechat", Parked(agent=AGENT, until=LATER)),
        ("wechat", WithAgent(agent=AgentId("agent-2"), since=NOW)),
        ("wechat", Queued(since=NOW)),
        ("telex", WithAgent(agent=AGENT, since=NOW)),
    )

    def prepare(unit: SqlUnit) -> None:
        for number, (account, state) in enumerate(held):
            name = f"c-{number}"
            unit.conversations.add(
                a_conversation(name, external_id=name, account=AccountName(account), state=state)
            )

    await store.transact(prepare)
    weights = {"wechat": 0.25, "phone": 1.0, "telex": 1.0}.__getitem__
    load = await store.read(lambda unit: unit.workforce.load(AGENT, weights))
    assert load == 0.25 + 0.25 + 1.0 + 1.0
    assert await store.read(lambda unit: unit.workforce.load(AgentId("idle"), weights)) == 0.0


async def test_a_reservation_ends_once(store: SqlStore) -> None:
    given = a_reservation()
    await store.transact(lambda unit: unit.workforce.reserve(given))
    assert await store.read(lambda unit: unit.workforce.reservation(given.id)) == given

    def end(unit: SqlUnit, how: str) -> None:
        unit.workforce.end_reservation(given.id, how=how, at=LATER)

    await store.transact(end, "accepted")
    with pytest.raises(Conflict):
        await store.transact(end, "lapsed")
    ended = replace(given, ended="accepted", ended_at=LATER)
    assert await store.read(lambda unit: unit.workforce.reservation(given.id)) == ended


async def test_a_token_opens_the_api_until_it_is_revoked(store: SqlStore) -> None:
    token = ApiToken(
        id="t-1", agent=AGENT, name="erp", created_at=NOW, used_at=None, revoked_at=None
    )
    digest = "ab" * 32

    await store.transact(lambda unit: unit.workforce.add_token(token, sha256=digest))
    await store.transact(lambda unit: unit.workforce.used_token("t-1", at=LATER))
    used = replace(token, used_at=LATER)
    assert await store.read(lambda unit: unit.workforce.token(digest)) == used
    assert await store.read(lambda unit: unit.workforce.token("cd" * 32)) is None

    await store.transact(lambda unit: unit.workforce.revoke_token("t-1", at=LATER))
    assert await store.read(lambda unit: unit.workforce.token(digest)) is None
    revoked = replace(used, revoked_at=LATER)
    assert await store.read(lambda unit: unit.workforce.tokens(AGENT)) == (revoked,)
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.workforce.revoke_token("t-1", at=LATER))
