"""A colleague corrects how a message was read, and what follows from it."""

from dataclasses import replace

import pytest

from router.domain.case import CaseStatus
from router.domain.conversation import WithBot
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ConversationId
from router.domain.reading import Alarm, Intent, Labels
from router.domain.timeline import Interaction
from router.domain.workforce import Presence
from router.service.correct import correct_reading
from router.service.unit import Unit
from tests.service.conftest import CHAT, Shop

NO = Labels(complaint=False, severity=0, intent=Intent.PRODUCT, language="zh", wants_human=False)
YES = Labels(complaint=True, severity=2, intent=Intent.LOGISTICS, language="zh", wants_human=False)


async def correct(shop: Shop, conversation: ConversationId, labels: Labels) -> Interaction:
    """Correct the first thing that was said in a conversation."""

    def do(unit: Unit) -> Interaction:
        first = unit.conversations.said_in(conversation)[0]
        return correct_reading(
            unit,
            interaction=first.id,
            labels=labels,
            by=AgentId("wang"),
            policy=shop.policy,
            at=shop.clock.now(),
        )

    return await shop.store.transact(do)


async def test_a_complaint_that_nobody_recognised_opens_a_case(shop: Shop) -> None:
    agent = await shop.staff("wang", presence=Presence.BUSY)
    conversation = await shop.hear(CHAT, "ann", "桌子很好看，一条腿可以当牙签")
    await shop.settle()
    said = await correct(shop, conversation, YES)
    reading = said.reading
    assert reading is not None
    assert (reading.complaint, reading.severity, reading.intent) == (
        Alarm.ALERT,
        2,
        Intent.LOGISTICS,
    )
    assert (reading.corrected_by, reading.corrected_at) == (agent, shop.clock.now())
    assert reading.reader == shop.reader.name
    held = await shop.conversation(conversation)
    (case,) = await shop.store.read(lambda unit: unit.cases.open_of((held.contact,)))
    assert (case.severity, case.opened_by, case.topic) == (2, said.id, "logistics")
    assert held.flagged
    (kept,) = await shop.store.read(lambda unit: unit.corrections.newest())
    assert (kept.text, kept.labels, kept.by) == ("桌子很好看，一条腿可以当牙签", YES, agent)
    assert kept.before is not None
    assert kept.before.complaint is not Alarm.ALERT


async def test_a_bot_lets_go_of_what_turns_out_to_be_a_complaint(shop: Shop) -> None:
    conversation = await shop.hear(CHAT, "ann", "请问怎么开发票")
    await shop.read_all()

    def to_bot(unit: Unit) -> None:
        held = unit.conversations.get(conversation)
        bot = WithBot(since=shop.clock.now())
        unit.conversations.save(replace(held, state=bot, bot_ok=True))

    await shop.store.transact(to_bot)
    await correct(shop, conversation, YES)
    assert not isinstance((await shop.conversation(conversation)).state, WithBot)


async def test_no_complaint_after_all_closes_no_case(shop: Shop) -> None:
    conversation = await shop.hear(CHAT, "ann", "我要投诉你们")
    await shop.read_all()
    said = await correct(shop, conversation, NO)
    assert said.reading is not None
    assert said.reading.complaint is Alarm.NONE
    held = await shop.conversation(conversation)
    assert not held.flagged
    (case,) = await shop.store.read(lambda unit: unit.cases.open_of((held.contact,)))
    assert case.status is CaseStatus.OPEN


async def test_saying_yes_again_joins_once_and_makes_it_no_milder(shop: Shop) -> None:
    conversation = await shop.hear(CHAT, "ann", "我要投诉到12315")
    await shop.read_all()
    held = await shop.conversation(conversation)
    await correct(shop, conversation, YES)
    (case,) = await shop.store.read(lambda unit: unit.cases.open_of((held.contact,)))
    assert case.severity == 3
    assert len(await shop.store.read(lambda unit: unit.cases.links(case.id))) == 1


@pytest.mark.parametrize(
    "labels",
    [
        replace(YES, severity=0),
        replace(YES, severity=4),
        replace(NO, severity=2),
        replace(YES, language="fr"),
    ],
)
async def test_labels_that_contradict_themselves_are_refused(shop: Shop, labels: Labels) -> None:
    conversation = await shop.hear(CHAT, "ann", "在吗")
    await shop.read_all()
    with pytest.raises(Invalid, match=r"severity:|language:"):
        await correct(shop, conversation, labels)


async def test_what_is_not_read_yet_is_not_corrected(shop: Shop) -> None:
    conversation = await shop.hear(CHAT, "ann", "在吗")
    with pytest.raises(Invalid, match="interaction:"):
        await correct(shop, conversation, YES)
