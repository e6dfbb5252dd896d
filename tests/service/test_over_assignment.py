"""Four daemons route at once, each knowing a part: nobody is given more than they carry."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

from router.cli.ledger.check import check
from router.domain.conversation import Offered, WithAgent
from router.domain.errors import DomainError
from router.domain.floor import Floor
from router.domain.ids import AgentId, ConversationId
from router.domain.routing import Decision, OfferTo, decide
from router.service import desk
from router.service.carry import carry_out
from router.service.floor import look_at
from router.service.ports import Conflict
from router.service.unit import Unit
from router.store.engine import open_store
from tests.service.conftest import CHAT, FAMILY, Numbers, Shop

DAEMONS, AGENTS, ROUNDS, COMERS = 4, 4, 5, 5
CAPACITY = 2.0


async def test_what_four_routers_decide_in_ignorance_fills_everybody_and_nobody_beyond(
    shop: Shop, database_url: str
) -> None:
    """Each holds the lease, so fencing does not help; only the tables say what is taken."""
    await shop.dispatcher.once()
    daemons = [another(shop, database_url, number) for number in range(DAEMONS)]
    agents = [await shop.staff(f"agent-{number}", capacity=CAPACITY) for number in range(AGENTS)]
    chance, refused = random.Random(20261111), 0  # noqa: S311  a seeded test
    try:
        for round_ in range(ROUNDS):
            parts = [
                [
                    await shop.hear(CHAT, f"c-{round_}-{number}-{place}", "物流到哪了")
                    for place in range(COMERS)
                ]
                for number in range(DAEMONS)
            ]
            await shop.read_all()
            decided = [await decisions(shop, part) for part in parts]
            carried = await asyncio.gather(
                *(
                    carry(daemon, each)
                    for daemon, all_of in zip(daemons, decided, strict=True)
                    for each in all_of
                )
            )
            refused += carried.count(False)
            for agent in agents:
                await work(chance.choice(daemons), agent, chance)
            shop.clock.pass_by(timedelta(seconds=1))
    finally:
        for each in daemons:
            await each.store.close()
    done = await asyncio.to_thread(check, database_url, [])
    assert done.wrong == ()
    assert done.offers >= AGENTS * CAPACITY
    assert refused > 0


async def decisions(shop: Shop, known: list[ConversationId]) -> list[Decision]:
    """Return what a router decides that knows the staff as it was, and only these conversations."""
    floor = Floor()
    given = {"policy": shop.policy, "families": FAMILY}
    seen = await shop.store.read(look_at, tuple(known), staff=True, **given)  # type: ignore[arg-type]
    floor.pass_time(shop.clock.now())
    for change in seen.changes:
        floor.apply(change)
    return [
        each for each in decide(floor, shop.policy, shop.clock.now()) if isinstance(each, OfferTo)
    ]


async def carry(shop: Shop, decision: Decision) -> bool:
    """Carry a decision out; return whether it could be."""
    try:
        await shop.store.transact(
            carry_out,
            decision,
            seen_seq=await shop.store.read(lambda unit: unit.journal.seq()),
            fence=1,
            policy=shop.policy,
            weights=lambda _held: 1.0,
            at=shop.clock.now(),
        )
    except Conflict:
        return False
    return True


def another(shop: Shop, url: str, number: int) -> Shop:
    """Return the same shop as another daemon has it, with connections of its own."""
    return replace(shop, store=open_store(url, clock=shop.clock, ids=Named(f"{number}-")))


class Named(Numbers):
    """Ids in order, and different from those of other daemons."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def new(self) -> str:
        return self._prefix + super().new()


async def work(shop: Shop, agent: AgentId, chance: random.Random) -> None:
    """Take or decline what is offered, and finish about half of what is in hand."""

    def held(unit: Unit) -> list[Offered | WithAgent]:
        states = (each.state for each in unit.conversations.held_by(agent))
        return [each for each in states if isinstance(each, Offered | WithAgent)]

    at = shop.clock.now()
    for state in await shop.store.read(held):
        if not isinstance(state, Offered):
            continue
        answer = chance.choice((desk.accept, desk.accept, desk.decline))
        given = {"reservation": state.reservation, "by": agent, "at": at}
        if answer is desk.decline:
            given["why"] = ""
        try:
            await shop.store.transact(answer, **given)
        except (Conflict, DomainError):
            continue  # it lapsed meanwhile

    def mine(unit: Unit) -> list[str]:
        talks = unit.conversations.held_by(agent)
        return [each.id for each in talks if isinstance(each.state, WithAgent)]

    for conversation in await shop.store.read(mine):
        if chance.random() < 0.5:
            await shop.store.transact(
                desk.wrap_up,
                conversation=conversation,
                by=agent,
                disposition="answered",
                text="",
                at=at,
            )
