"""A customer changes the words under a picture, or the picture itself."""

from datetime import timedelta

from router.channel.contract import Edited, Received
from router.domain.content import Content, Media, MediaKind
from router.service import media
from router.service.records import MediaRow
from tests.service.conftest import WECHAT, Shop

PICTURE = Media(kind=MediaKind.IMAGE, ref="file-1", caption="看图")


async def send(shop: Shop) -> None:
    """Let a customer send a picture, and let it be fetched."""
    said = Received(external_id="m-1", sender="c-1", at=shop.clock.now(), content=PICTURE)
    await shop.deliver(WECHAT, said)
    (row,) = await wanted(shop)
    await shop.store.transact(
        media.fetched, row.id, mime="image/png", size=9, sha256="0" * 64, at=shop.clock.now()
    )


async def edit(shop: Shop, content: Content) -> Content:
    """Let the customer change it; return what the timeline shows."""
    shop.clock.pass_by(timedelta(minutes=1))
    taken = await shop.deliver(
        WECHAT,
        Edited(external_id="e-1", target="m-1", sender="c-1", at=shop.clock.now(), content=content),
    )
    (shown,) = await shop.timeline(taken.conversations[0])
    return shown.content


async def wanted(shop: Shop) -> tuple[MediaRow, ...]:
    now = shop.clock.now()
    return await shop.store.read(lambda unit: unit.journal.wanted_media(now=now, limit=9))


async def test_new_words_under_a_picture_leave_our_copy_where_it_is(shop: Shop) -> None:
    await send(shop)
    shown = await edit(shop, Media(kind=MediaKind.IMAGE, ref="file-1", caption="坏的那张"))
    assert isinstance(shown, Media)
    assert (shown.caption, shown.mime, shown.size) == ("坏的那张", "image/png", 9)
    assert shown.stored
    assert await wanted(shop) == ()


async def test_another_picture_in_its_place_is_fetched(shop: Shop) -> None:
    await send(shop)
    shown = await edit(shop, Media(kind=MediaKind.IMAGE, ref="file-2", caption="这张"))
    assert isinstance(shown, Media)
    assert not shown.stored
    assert [row.content for row in await wanted(shop)] == [shown]
