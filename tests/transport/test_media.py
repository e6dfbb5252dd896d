"""Files that customers send and that we send: fetched in time, believed only by their bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram import CHANNEL as TELEGRAM
from router.channel.accounts import open_account
from router.channel.contract import Received
from router.domain.content import Content, Media, MediaKind
from router.domain.ids import AccountName, InteractionId, MediaId, QueueName
from router.service.arrivals import Delivery, source_of
from router.service.intake import take_in
from router.service.media import sniff, stored_at
from router.service.records import MediaRow, OutboxState
from router.settings.load import load
from router.transport.http import open_http
from router.transport.links import Forbidden, Links, PublicResolver, is_public, open_links
from router.transport.media import MediaFetcher, keep_file
from tests.transport.platform import FETCH, SEND, UPLOAD, Platform, cuts, gives, leads_to, says
from tests.transport.rig import SHOP, Rig, meet, say, sending, settings

PNG = b"\x89PNG\r\n\x1a\n" + b"a sofa" * 50
PICTURE = Media(kind=MediaKind.IMAGE, ref="media-1", link="")


@asynccontextmanager
async def fetcher(rig: Rig, **changes: Any) -> AsyncIterator[MediaFetcher]:
    given = replace(rig.settings, **changes)
    async with open_links(given) as links:
        yield MediaFetcher(
            store=rig.store,
            accounts=rig.accounts,
            asker=rig.asker,
            links=links,
            clock=rig.clock,
            ids=rig.ids,
            settings=given,
        )


async def receive(rig: Rig, content: Content, *, account: AccountName = SHOP) -> InteractionId:
    """Let a customer send something; return it as it stands on the timeline."""
    event = Received(
        external_id=f"m-{rig.ids.new()}", sender="o-lin", at=rig.clock.now(), content=content
    )
    delivery = Delivery(
        source=source_of(rig.accounts[account]), events=(event,), received_at=rig.clock.now()
    )
    taken = await rig.store.transact(take_in, delivery, load(environ={}).policy)
    return taken.added[0].id


async def picture(rig: Rig, said: InteractionId) -> Media:
    content = (await rig.said(said)).content
    assert isinstance(content, Media)
    return content


async def row_of(rig: Rig, *, after: timedelta = timedelta(days=1)) -> list[MediaRow]:
    """Return what is still wanted, now or later."""
    later = rig.clock.now() + after
    return list(await rig.store.read(lambda unit: unit.journal.wanted_media(now=later, limit=9)))


async def test_a_picture_is_fetched_with_the_accounts_token_and_kept(
    rig: Rig, platform: Platform
) -> None:
    platform.will(FETCH, gives(PNG, mime="text/html"))
    said = await receive(rig, PICTURE)
    async with fetcher(rig) as at_work:
        await at_work.work()
    shown = await picture(rig, said)
    assert (shown.mime, shown.size) == ("image/png", len(PNG))
    assert stored_at(rig.settings.media, MediaId(shown.stored)).read_bytes() == PNG
    assert platform.asked(FETCH)[0].query == {"media_id": "media-1", "access_token": "token-1"}
    assert await row_of(rig) == []


async def test_a_film_is_fetched_from_where_the_platform_says_without_a_credential(
    rig: Rig, platform: Platform
) -> None:
    film = b"\0\0\0\x18ftypmp42" + b"frames" * 10
    platform.will(FETCH, says({"video_url": f"{platform.url}/film"}))
    platform.will("/film", leads_to("/film/here"))
    platform.will("/film/here", gives(film, mime="video/mp4"))
    said = await receive(rig, Media(kind=MediaKind.VIDEO, ref="media-2"))
    async with fetcher(rig) as at_work:
        await at_work.work()
    assert (await picture(rig, said)).mime == "video/mp4"
    assert platform.asked("/film/here")[0].query == {}


async def test_a_file_whose_address_needs_the_token_is_fetched_with_it(
    rig: Rig, platform: Platform
) -> None:
    bot = AccountName("shop-bot")
    account = open_account(
        TELEGRAM,
        name=bot,
        queue=QueueName("general"),
        settings={"bot_token": "1:abc", "secret_token": "s", "api_base": platform.url},
    )
    rig = replace(rig, accounts={**rig.accounts, bot: account})
    platform.will("/bot1:abc/getFile", says({"ok": True, "result": {"file_path": "photos/1.png"}}))
    platform.will("/file/bot1:abc/photos/1.png", gives(PNG, mime="image/png"))
    said = await receive(rig, PICTURE, account=bot)
    async with fetcher(rig) as at_work:
        await at_work.work()
    assert (await picture(rig, said)).size == len(PNG)
    assert platform.asked("/bot1:abc/getFile")[0].query == {"file_id": "media-1"}


async def test_a_page_that_calls_itself_a_picture_is_not_kept(rig: Rig, platform: Platform) -> None:
    page = b"<html><script>steal()</script></html>"
    platform.will("/photo.jpg", gives(page, mime="image/jpeg"))
    said = await receive(
        rig, Media(kind=MediaKind.IMAGE, link=f"{platform.url}/photo.jpg"), account=SHOP
    )
    async with fetcher(rig) as at_work:
        await at_work.work()
    assert (await picture(rig, said)).stored == ""
    assert await row_of(rig) == []
    assert not rig.settings.media.exists() or not list(rig.settings.media.iterdir())


async def test_a_download_that_fails_is_tried_again_and_given_up_in_the_end(
    rig: Rig, platform: Platform
) -> None:
    for _ in range(2):
        platform.will(FETCH, says({"errcode": -1, "errmsg": "busy"}))
    said = await receive(rig, PICTURE)
    async with fetcher(rig, chore_attempts=2) as at_work:
        await at_work.work()
        [waiting] = await row_of(rig)
        assert (waiting.attempts, waiting.next_at > rig.clock.now()) == (1, True)
        rig.clock.advance(timedelta(minutes=1))
        await at_work.work()
    assert await row_of(rig) == []
    assert (await picture(rig, said)).stored == ""


async def test_one_file_that_cannot_be_had_does_not_cost_the_others(
    rig: Rig, platform: Platform
) -> None:
    platform.will("/cut", *[cuts] * 6)
    platform.will("/good", gives(PNG, mime="image/png"))
    bad = await receive(rig, Media(kind=MediaKind.IMAGE, link=f"{platform.url}/cut"))
    good = await receive(rig, Media(kind=MediaKind.IMAGE, link=f"{platform.url}/good"))
    async with fetcher(rig, first_wait=timedelta(milliseconds=20)) as at_work:
        await at_work.work()
    assert (await picture(rig, good)).stored
    assert not (await picture(rig, bad)).stored


async def test_a_file_that_is_too_large_is_not_read(rig: Rig, platform: Platform) -> None:
    platform.will(FETCH, *[gives(PNG * 100, mime="image/png")] * 3)
    said = await receive(rig, PICTURE)
    async with fetcher(rig, most_media=1000) as at_work:
        await at_work.work()
    assert not (await picture(rig, said)).stored


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:{port}/x",
        "http://[::1]:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://localhost:{port}/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.8/x",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "http://user:word@example.com/x",
    ],
)
async def test_a_link_into_our_own_network_is_not_opened(
    rig: Rig, platform: Platform, link: str
) -> None:
    port = platform.url.rpartition(":")[2]
    said = await receive(rig, Media(kind=MediaKind.IMAGE, link=link.format(port=port)))
    async with fetcher(rig, private_links=False, first_wait=timedelta(milliseconds=20)) as at_work:
        await at_work.work()
    assert platform.seen == []
    assert not (await picture(rig, said)).stored


async def test_a_redirect_into_our_own_network_is_not_followed(
    platform: Platform, tmp_path: Path
) -> None:
    platform.will("/out", leads_to("http://10.0.0.8/secret"))
    here = settings(tmp_path)
    async with open_http(here) as http:

        class Lenient(Links):
            """Takes the test's own server for a stranger's, and nothing else."""

            def _check(self, link: str) -> None:
                if not link.startswith(platform.url):
                    super()._check(link)

        with pytest.raises(Forbidden):
            await Lenient(http, private=False).open(f"{platform.url}/out", most=1000)


async def test_a_name_that_leads_to_this_machine_has_no_address() -> None:
    resolver = PublicResolver()
    with pytest.raises(OSError, match="no public address"):
        await resolver.resolve("localhost", 80)
    await resolver.close()


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True),
        ("example.com", True),
        ("192.168.1.4", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  # the question itself
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_which_addresses_are_of_the_open_internet(host: str, public: bool) -> None:  # noqa: FBT001
    assert is_public(host) is public


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
        (b"#!AMR\n", "audio/amr"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"<svg xmlns=", None),
        (b"MZ\x90\0", None),
        (b"", None),
    ],
)
def test_a_file_is_what_it_begins_with(data: bytes, mime: str | None) -> None:
    assert sniff(data) == mime


# ----- what we send -------------------------------------------------------------------------------


async def our_picture(rig: Rig) -> Media:
    """Return a picture of ours that is stored."""
    row = MediaRow(
        id=MediaId(f"ours-{rig.ids.new()}"),
        account=SHOP,
        interaction=None,
        state="stored",
        content=None,
        mime="image/png",
        name="沙发.png",
        size=len(PNG),
        sha256="",
        attempts=0,
        next_at=rig.clock.now(),
        why="",
    )
    await rig.store.transact(lambda unit: unit.journal.want_media(row))
    keep_file(stored_at(rig.settings.media, row.id), PNG)
    return Media(kind=MediaKind.IMAGE, stored=row.id, name=row.name, mime=row.mime)


async def test_our_picture_is_uploaded_once_though_its_message_is_tried_twice(
    rig: Rig, platform: Platform
) -> None:
    platform.will(UPLOAD, says({"type": "image", "media_id": "their-7"}))
    platform.will(SEND, says({}, status=429))
    shown = await our_picture(rig)
    async with sending(rig.sender()) as sender:
        row = await say(rig, await meet(rig.store), shown)
        await rig.tried(row, 1)
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        await rig.settled(row)
    [upload] = platform.asked(UPLOAD)
    assert PNG in upload.body
    assert [b'"their-7"' in each.body for each in platform.asked(SEND)] == [True, True]


async def test_a_picture_that_the_platform_will_not_have_is_refused_in_sight(
    rig: Rig, platform: Platform
) -> None:
    platform.will(UPLOAD, says({"errcode": 40004, "errmsg": "invalid media type"}))
    async with sending(rig.sender()):
        row = await say(rig, await meet(rig.store), await our_picture(rig))
        rows = await rig.settled(row)
    assert (rows[row].state, rows[row].reason) == (OutboxState.REFUSED, "content")
    assert platform.asked(SEND) == []


async def test_a_picture_whose_file_is_gone_is_refused_and_not_tried_for_ever(
    rig: Rig,
) -> None:
    lost = replace(await our_picture(rig), stored="nobody-knows")
    async with sending(rig.sender()):
        row = await say(rig, await meet(rig.store), lost)
        rows = await rig.settled(row)
    assert (rows[row].state, rows[row].reason) == (OutboxState.REFUSED, "content")
