"""Random interleavings of everything that can happen; the guarantees hold after every step."""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from router.channel.contract import Identified
from router.domain.case import CaseStatus, Resolution
from router.domain.content import Text
from router.domain.conversation import (
    Conversation,
    Offered,
    Queued,
    WithAgent,
    WrapUp,
    responsible,
)
from router.domain.errors import DomainError
from router.domain.floor import EPSILON, Floor
from router.domain.ids import AccountName, AgentId, QueueName
from router.domain.routing import Decision, decide
from router.domain.workforce import Agent, Presence, Role
from router.service import (
    cases,
    clocks,
    contacts,
    desk,
    followup,
    people,
    probable,
    reply,
    supervise,
    suspect,
)
from router.service.audit import Violation, audit
from router.service.carry import LEASE, carry_out
from router.service.dispatch import Dispatcher
from router.service.floor import look_at_all
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, FAMILY, WEIBO, Shop, open_shop, phone
from tests.service.places import misplaced
from tests.service.test_story import ANGRIER, ANGRY, publish

WORDS = (
    "在吗",
    "怎么开发票",
    "物流到哪了",
    "转人工",
    "你们态度真差",
    ANGRY,
    ANGRIER,
    "订单20261111001234，手机13800138000",
    "已解决",
    "还没解决",
)
ACCOUNTS = (CHAT, WEIBO)
SENDERS = ("a", "b")
NUMBERS = ("+8613800138000", "+8613800138001")
STAFF = (AgentId("lin"), AgentId("wang"))
CHIEF = AgentId("chief")
#: How many times as many days as usual are tried: for a long search by hand.
TIMES = int(os.environ.get("MAINSTEM_DAYS", "1"))


class Day(RuleBasedStateMachine):
    """A shop's day, one step after the other."""

    database: Callable[[], str]
    numbers = count()

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.lying: list[tuple[int, Decision]] = []
        self.shop: Shop = self.run(self._open())

    async def _open(self) -> Shop:
        shop = await open_shop(self.database())
        for name in STAFF:
            await shop.staff(name)
        await shop.staff(CHIEF, role=Role.ADMIN, presence=Presence.OFFLINE)
        await publish(shop)
        return shop

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.run(self.shop.store.close())
            self.runner.close()

    def do(self, verb: Any, **given: Any) -> None:
        """Do what people do; a refusal is an answer like any other."""
        try:
            self.run(self.shop.store.transact(verb, **given, at=self.shop.clock.now()))
        except DomainError:
            return

    def now(self) -> datetime:
        return self.shop.clock.now()

    def violations(self) -> tuple[Violation, ...]:
        found: tuple[Violation, ...] = self.run(self.shop.store.read(audit, at=self.now()))
        return found

    def held(self, *states: type) -> list[Conversation]:
        def ask(unit: Unit) -> list[Conversation]:
            return [each for each in unit.conversations.open() if isinstance(each.state, states)]

        found: list[Conversation] = self.run(self.shop.store.read(ask))
        return found

    # ----- what customers do ---------------------------------------------------------------------

    @rule(
        account=some.sampled_from(ACCOUNTS),
        sender=some.sampled_from(SENDERS),
        words=some.sampled_from(WORDS),
        number=some.sampled_from((*NUMBERS, "", "", "")),
        settle=some.booleans(),
    )
    def write(
        self, account: AccountName, sender: str, words: str, number: str, *, settle: bool
    ) -> None:
        claims = (phone(number),) if number else ()
        self.run(self.shop.say(account, sender, words, claims=claims))
        if settle:
            self.run(self.shop.settle())

    @rule(account=some.sampled_from(ACCOUNTS), sender=some.sampled_from(SENDERS))
    def ask_and_then_complain(self, account: AccountName, sender: str) -> None:
        """The bot answers, and the next word is a complaint, seen by the bot or on its way."""
        self.run(self.shop.say(account, sender, "怎么开发票"))
        self.run(self.shop.settle())
        self.run(self.shop.say(account, sender, ANGRY))

    @rule(sender=some.sampled_from(SENDERS), number=some.sampled_from(NUMBERS))
    def sign_in(self, sender: str, number: str) -> None:
        event = Identified(
            external_id=f"hello-{next(self.numbers)}",
            sender=sender,
            at=self.shop.clock.now(),
            claims=(phone(number),),
        )
        self.run(self.shop.deliver(CHAT, event))

    # ----- what the daemon does ------------------------------------------------------------------

    @rule()
    def read(self) -> None:
        self.run(self.shop.read_all())

    @rule()
    def route(self) -> None:
        self.run(self.shop.dispatcher.once())

    @rule(words=some.sampled_from(WORDS), sender=some.sampled_from(SENDERS))
    def decide(self, words: str, sender: str) -> None:
        """Take decisions and leave them lying: the world moves on before they are carried out."""
        self.run(self.shop.dispatcher.once())
        self.run(self.shop.say(CHAT, sender, words))
        self.run(self.shop.read_all())
        floor = Floor()
        seen = self.run(self.shop.store.read(look_at_all, policy=self.shop.policy, families=FAMILY))
        for change in seen.changes:
            floor.apply(change)
        now = self.shop.clock.now()
        self.lying = [(seen.seq, each) for each in decide(floor, self.shop.policy, now)]

    @rule(fresh=some.booleans(), words=some.sampled_from(WORDS), sender=some.sampled_from(SENDERS))
    def carry_out_what_lies(self, *, fresh: bool, words: str, sender: str) -> None:
        """Carry out old decisions, after one more message that may have been read or not."""
        self.run(self.shop.say(CHAT, sender, words))
        if fresh:
            self.run(self.shop.read_all())
        lease = self.run(self.shop.store.read(lambda unit: unit.journal.leased(LEASE)))
        for seq, choice in self.lying:
            self.do(
                carry_out,
                decision=choice,
                seen_seq=seq,
                fence=lease.fence if lease else 0,
                policy=self.shop.policy,
                weights=lambda _held: 0.25,
            )
        self.lying = []

    @rule()
    def let_the_bot_speak(self) -> None:
        try:
            self.run(self.shop.bot_turns())
        except DomainError:
            return

    @rule(seconds=some.sampled_from((1, 31, 700, 9000)))
    def wait(self, seconds: int) -> None:
        self.shop.clock.pass_by(timedelta(seconds=seconds))
        self.run(self.shop.dispatcher.once())
        self.run(self.shop.store.transact(clocks.ring, policy=self.shop.policy, at=self.now()))
        assert "not_escalated" not in {each.code for each in self.violations()}

    @rule(seconds=some.sampled_from((1, 3, 61)))
    def set_the_clock_back(self, seconds: int) -> None:
        """Somebody corrects the machine's clock."""
        self.shop.clock.pass_by(-timedelta(seconds=seconds))

    @rule()
    def ask_whether_it_is_solved(self) -> None:
        self.do(followup.ask_due, policy=self.shop.policy, capabilities=ABLE)

    @rule()
    def crash(self) -> None:
        """The daemon dies and another one takes over, knowing only the tables."""
        self.shop.clock.pass_by(timedelta(seconds=5))
        self.shop.dispatcher = Dispatcher(
            self.shop.store,
            policy=self.shop.policy,
            families=FAMILY,
            clock=self.shop.clock,
            name=f"daemon-{next(self.numbers)}",
        )
        self.run(self.shop.dispatcher.once())

    # ----- what people do ------------------------------------------------------------------------

    @rule(take=some.booleans())
    def answer_offers(self, *, take: bool) -> None:
        for each in self.held(Offered):
            assert isinstance(each.state, Offered)
            given: dict[str, Any] = {"reservation": each.state.reservation, "by": each.state.agent}
            if take:
                self.do(desk.accept, **given)
            else:
                self.do(desk.decline, why="", **given)

    @rule(pick=some.integers(0, 9))
    def reply(self, pick: int) -> None:
        self.one(
            pick,
            WithAgent,
            reply.reply,
            content=Text(text="您好"),
            capabilities=ABLE[CHAT],
        )

    @rule(pick=some.integers(0, 9))
    def finish(self, pick: int) -> None:
        self.one(pick, WithAgent, desk.finish)

    @rule(pick=some.integers(0, 9))
    def wrap_up(self, pick: int) -> None:
        self.one(pick, WrapUp, desk.wrap_up, disposition="answered", text="")

    @rule(pick=some.integers(0, 9), to=some.sampled_from(STAFF))
    def transfer(self, pick: int, to: AgentId) -> None:
        self.one(
            pick,
            WithAgent,
            desk.transfer,
            to_agent=to,
            to_queue=None,
            why="",
            policy=self.shop.policy,
            seen_seq=0,
        )

    def one(self, pick: int, state: type, verb: Any, **given: Any) -> None:
        found = self.held(state)
        if found:
            each = found[pick % len(found)]
            self.do(verb, conversation=each.id, by=responsible(each.state), **given)

    @rule(pick=some.integers(0, 9), to=some.sampled_from(STAFF))
    def take_over(self, pick: int, to: AgentId) -> None:
        found = self.held(Queued, Offered, WithAgent)
        if found:
            each = found[pick % len(found)]
            self.do(supervise.take_over, conversation=each.id, by=to, seen_seq=0)

    @rule(agent=some.sampled_from(STAFF), presence=some.sampled_from(Presence))
    def change_presence(self, agent: AgentId, presence: Presence) -> None:
        self.do(desk.set_presence, agent=agent, presence=presence, by=agent)

    @rule(pick=some.integers(0, 9), to=some.sampled_from(("general", "complaints")))
    def put_back_in_line(self, pick: int, to: str) -> None:
        found = self.held(Queued, Offered, WithAgent, WrapUp)
        if found:
            self.do(
                supervise.requeue,
                conversation=found[pick % len(found)].id,
                queue=QueueName(to),
                by=STAFF[0],
                policy=self.shop.policy,
            )

    @rule(pick=some.integers(0, 9), severity=some.integers(1, 3))
    def write_down_a_case(self, pick: int, severity: int) -> None:
        found = self.held(object)
        if found:
            self.do(
                cases.open_by_hand,
                contact=found[pick % len(found)].contact,
                severity=severity,
                topic="logistics",
                summary="told at the counter",
                by=STAFF[0],
                policy=self.shop.policy,
            )

    @rule(pick=some.integers(0, 9), to=some.sampled_from((*STAFF, None)))
    def move_a_case(self, pick: int, to: AgentId | None) -> None:
        found = self.run(self.shop.store.read(lambda unit: unit.cases.all_open()))
        if found and to is not None:
            self.do(cases.own, case=found[pick % len(found)].id, owner=to, by=STAFF[0])
        elif found:
            queue = QueueName("general")
            self.do(cases.enqueue, case=found[pick % len(found)].id, queue=queue, by=STAFF[0])

    @rule(agent=some.sampled_from(STAFF), stays=some.booleans())
    def leave_or_come_back(self, agent: AgentId, *, stays: bool) -> None:
        held = self.run(self.shop.store.read(lambda unit: unit.workforce.get(agent)))
        self.do(
            people.edit_agent,
            agent=agent,
            name=held.name,
            role=held.role,
            skills=dict(held.skills),
            families=held.families,
            languages=held.languages,
            capacity=held.capacity,
            active=stays,
            by=CHIEF,
            policy=self.shop.policy,
        )

    @rule(accept=some.booleans())
    def decide_on_a_proposal(self, *, accept: bool) -> None:
        def proposed(unit: Unit) -> list[str]:
            held = unit.conversations.open()
            found = (probable.suspected(unit, each.contact) for each in held)
            return sorted({proposal.id for each in found for proposal, _other in each})

        for name in self.run(self.shop.store.read(proposed))[:1]:
            if accept:
                policy = self.shop.policy
                self.do(suspect.accept_proposal, proposal=name, by=STAFF[0], policy=policy)
            else:
                self.do(suspect.reject_proposal, proposal=name, by=STAFF[0])

    @rule(pick=some.integers(0, 9), reopen=some.booleans())
    def handle_a_case(self, pick: int, *, reopen: bool) -> None:
        def every(unit: Unit) -> tuple[Any, ...]:
            people = {held.contact for held in unit.conversations.open()}
            return tuple(case for each in people for case in unit.cases.of((each,)))

        found = self.run(self.shop.store.read(every))
        if not found:
            return
        case = found[pick % len(found)]
        if case.status is CaseStatus.OPEN and not reopen:
            self.do(cases.acknowledge, case=case.id, by=STAFF[0])
        elif case.status is not CaseStatus.RESOLVED:
            self.do(
                cases.resolve,
                case=case.id,
                by=STAFF[0],
                resolution=Resolution.REPLACED,
                note="",
            )
        elif reopen:
            self.do(cases.reopen, case=case.id, by=STAFF[0], policy=self.shop.policy)

    @rule(one=some.integers(0, 9), other=some.integers(0, 9))
    def merge(self, one: int, other: int) -> None:
        found = self.held(object)
        if found:
            self.do(
                contacts.merge,
                keep=found[one % len(found)].contact,
                gone=found[other % len(found)].contact,
                by=STAFF[0],
                why="told so",
                policy=self.shop.policy,
            )

    @rule(pick=some.integers(0, 9))
    def split(self, pick: int) -> None:
        def standing(unit: Unit) -> list[str]:
            people = {held.contact for held in unit.conversations.open()}
            return sorted(
                {each.id for each in unit.contacts.merges(people) if each.undone_at is None}
            )

        found = self.run(self.shop.store.read(standing))
        if found:
            self.do(
                contacts.split,
                merge_id=found[pick % len(found)],
                by=STAFF[0],
                policy=self.shop.policy,
            )

    # ----- what must hold ------------------------------------------------------------------------

    @invariant()
    def the_guarantees_hold(self) -> None:
        if hasattr(self, "shop"):  # what is overdue is told of when the clock rings
            assert [each for each in self.violations() if each.code != "not_escalated"] == []

    @invariant()
    def nobody_holds_more_than_they_can_by_the_routers_word(self) -> None:
        if not hasattr(self, "shop"):
            return

        def offered(unit: Unit) -> list[tuple[Agent, float, bool]]:
            people = []
            for agent in unit.workforce.all():
                held = unit.conversations.held_by(agent.id)
                weight = 0.25 * sum(not isinstance(each.state, Queued) for each in held)
                by_hand = any(
                    decision.kind == "by_hand"
                    for each in held
                    for decision in unit.journal.decisions(each.id)
                )
                people.append((agent, weight, by_hand))
            return people

        for agent, load, by_hand in self.run(self.shop.store.read(offered)):
            assert by_hand or load <= agent.capacity + EPSILON

    @invariant()
    def everybody_stands_in_one_place(self) -> None:
        if hasattr(self, "shop"):
            assert self.run(self.shop.store.read(misplaced)) == []


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 12), ("postgresql", 4)])
def test_the_guarantees_hold_after_every_step(
    kind: str, examples: int, fresh_database: Callable[[str], str]
) -> None:
    class DayHere(Day):
        database = staticmethod(lambda: fresh_database(kind))

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        DayHere,
        settings=settings(
            max_examples=examples * TIMES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
