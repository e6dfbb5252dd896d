"""Trials: one variant a contact, counted once; chance is told apart; a winner goes on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.channel.contract import Rated
from router.domain.content import Text
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ScriptId, TrialId
from router.domain.trial import Measure, Tally, Trial, Variant
from router.service.ports import Conflict
from router.service.reply import reply
from router.service.scripts import Used
from router.service.significance import compare
from router.service.trials import begin, end, tallies
from tests.service.conftest import ABLE, CHAT, Shop
from tests.service.test_scripts import approve, in_hand, offers

B = Variant(name="B", wording={"zh": "今天就发，放心～", "en": "It ships today, promised."})
WORDINGS = {"any": {"zh": "今天发货。", "en": "It ships today."}}


async def start(shop: Shop, **changes: Any) -> Trial:
    given = {
        "trial": TrialId("t-1"),
        "script": ScriptId("ship"),
        "place": "any",
        "others": (B,),
        "measure": Measure.REPLY,
        "planned": 20,
        "by": "wang",
        "at": shop.clock.now(),
    }
    made: Trial = await shop.store.transact(begin, **{**given, **changes})
    return made


async def test_a_contact_is_offered_their_variant_and_what_came_of_it_is_counted(
    shop: Shop,
) -> None:
    await approve(shop, wordings=WORDINGS)
    trial = await start(shop)
    chat = await in_hand(shop)
    (ready,) = await offers(shop, chat)
    held = await shop.conversation(chat)
    own = trial.variant_for(held.contact)
    assert (ready.text, ready.trial, ready.variant) == (own.wording["zh"], trial.id, own.name)

    used = Used(script=ScriptId("ship"), trial=trial.id, variant=own.name)
    for _ in range(2):  # said twice, counted once
        await shop.store.transact(
            reply,
            conversation=chat,
            by=AgentId("lin"),
            content=Text(text=ready.text),
            capabilities=ABLE[CHAT],
            at=shop.clock.now(),
            script=used,
        )
    counted = await count(shop, own.name, None)
    assert (counted.contacts, counted.count) == (1, 0)  # nobody can tell yet
    shop.clock.pass_by(timedelta(hours=1))
    await shop.hear(CHAT, "member-1", "好的谢谢")
    assert (await count(shop, own.name, None)).good == 1
    rated = Rated(external_id="r-1", sender="member-1", at=shop.clock.now(), score=5)
    await shop.deliver(CHAT, rated)
    assert (await count(shop, own.name, Measure.CSAT)).values == (5,)
    shop.clock.pass_by(timedelta(days=8))
    ordered = await count(shop, own.name, Measure.CONVERSION)
    assert (ordered.count, ordered.good) == (1, 0)


async def count(shop: Shop, variant: str, measure: Measure | None) -> Tally:
    _trial, counted = await shop.store.read(
        tallies, trial="t-1", measure=measure, at=shop.clock.now()
    )
    return {each.variant: each for each in counted}[variant]


async def test_a_supervisor_ends_a_trial_and_the_winner_is_said_from_then_on(shop: Shop) -> None:
    await approve(shop, wordings=WORDINGS)
    await start(shop)
    with pytest.raises(Conflict):
        await start(shop, trial=TrialId("t-2"))
    with pytest.raises(Invalid, match="variant: 'C' is not one"):
        await shop.store.transact(end, trial="t-1", winner="C", by="wang", at=shop.clock.now())
    await shop.store.transact(end, trial="t-1", winner="B", by="wang", at=shop.clock.now())
    held = await shop.store.read(lambda unit: unit.scripts.get(ScriptId("ship")))
    assert held.approved["any"] == held.wordings["any"] == dict(B.wording)
    assert held.approved_by == "wang"
    chat = await in_hand(shop)
    (ready,) = await offers(shop, chat)
    assert (ready.text, ready.trial) == (B.wording["zh"], None)
    await start(shop, trial=TrialId("t-2"), others=(replace(B, wording=WORDINGS["any"]),))


async def test_a_trial_is_of_an_approved_wording(shop: Shop) -> None:
    await approve(shop, wordings=WORDINGS)
    with pytest.raises(Invalid, match="place: the script has no approved wording for 'shop'"):
        await start(shop, place="shop")


def tallied(variant: str, good: int, count_: int, values: tuple[int, ...] = ()) -> Tally:
    return Tally(variant=variant, contacts=count_, count=count_, good=good, values=values)


def test_chance_is_fishers_and_is_corrected_for_the_number_of_variants() -> None:
    # A textbook's tea taster (Fisher 1935): 3 of 4 against 1 of 4 has a two-sided p of 0.4857.
    one, two = compare((tallied("A", 3, 4), tallied("B", 1, 4)), Measure.REPLY)
    assert one.chance is None
    assert two.chance == pytest.approx(0.4857, abs=1e-4)
    both = compare((tallied("A", 3, 4), tallied("B", 1, 4), tallied("C", 1, 4)), Measure.REPLY)
    assert both[1].chance == pytest.approx(2 * 0.4857, abs=1e-3)


def test_intervals_are_wilsons_and_nothing_can_be_said_of_nothing() -> None:
    one, two = compare((tallied("A", 8, 10), tallied("B", 0, 0)), Measure.RESOLUTION)
    assert (one.low, one.high) == (pytest.approx(0.4902, abs=1e-3), pytest.approx(0.9433, abs=1e-3))
    assert (two.low, two.high, two.chance) == (None, None, None)


def test_ratings_are_compared_by_rank() -> None:
    same = tallied("A", 3, 3, (5, 5, 5))
    assert compare((same, replace(same, variant="B")), Measure.CSAT)[1].chance == 1.0
    better = tallied("B", 8, 8, (5,) * 8)
    worse = tallied("A", 0, 8, (1, 2, 1, 2, 1, 3, 2, 1))
    chance = compare((worse, better), Measure.CSAT)[1].chance
    assert chance is not None
    assert chance < 0.01
