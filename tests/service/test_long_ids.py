"""An id of any length is taken in, known again, and found by what points to it."""

from datetime import timedelta
from hashlib import sha512

from router.channel.contract import Bell, Recalled, Received
from router.domain.content import Text
from router.domain.identity import Claim, ClaimKind
from router.service.keys import LONGEST, fitted, fitted_id
from tests.service.conftest import START, WECHAT, Shop


def endless(word: str) -> str:
    """Return 12,800 characters that no database can press together."""
    return word + "".join(sha512(f"{word}{each}".encode()).hexdigest() for each in range(100))


async def test_a_message_with_endless_ids_is_kept_once_and_can_be_taken_back(shop: Shop) -> None:
    order = Claim(kind=ClaimKind.ORDER, value=endless("order"), verified=False, source="platform")
    said = Received(
        external_id=endless("message"),
        sender=endless("sender"),
        thread=endless("thread"),
        at=shop.clock.now(),
        content=Text(text="我要投诉"),
        claims=(order,),
    )
    bell = Bell(cursor_key=endless("cursor"))
    first = await shop.deliver(WECHAT, said, bell)
    again = await shop.deliver(WECHAT, said)
    shop.clock.pass_by(timedelta(minutes=1))
    gone = Recalled(
        external_id=endless("recall"), target=said.external_id, sender="", at=shop.clock.now()
    )
    await shop.deliver(WECHAT, gone)
    (shown,) = await shop.timeline(first.conversations[0])
    assert (len(first.added), first.bells, len(again.added), again.known) == (1, 1, 0, 1)
    assert shown.recalled_at == shop.clock.now()


def test_usual_ids_are_left_as_they_are_and_long_ones_stay_apart() -> None:
    usual = Recalled(external_id="投" * (LONGEST // 3), target="1", sender="", at=START)
    assert fitted(usual) is usual
    one, other = fitted_id("a" * 900 + "1"), fitted_id("a" * 900 + "2")
    assert one != other
    assert len(one.encode()) < LONGEST
