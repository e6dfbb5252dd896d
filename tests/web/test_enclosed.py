"""Files that come inside a mail: kept once, of the types that we keep, for agents only."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, FormData

from adapters.email import CHANNEL
from router.channel.accounts import open_account
from router.domain.content import Media
from router.domain.ids import AccountName, MediaId, QueueName
from router.domain.timeline import Interaction
from router.service.records import MediaRow
from router.store.engine import SqlStore
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import PATH_SECRET, House, a_house, sign_in

KEY = "key-mgSigningDemo0001"
PNG = b"\x89PNG\r\n\x1a\n" + b"sofa" * 64
PAGE = b"<html><script>alert(1)</script></html>"
MAIL = open_account(
    CHANNEL,
    name=AccountName("mail"),
    queue=QueueName("general"),
    settings={"address": "support@shop.example", "signing_key": KEY},
    path_secret=PATH_SECRET,
)


@pytest.fixture
async def house(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[House]:
    more = {MAIL.name: MAIL}
    async with a_house(
        sqlite_store, clock, ids, tmp_path, more=more, most_media=100_000
    ) as running:
        yield running


async def mail(
    house: House, client: ClientSession, key: str, *files: tuple[str, str, bytes]
) -> tuple[Interaction, ...]:
    """Let Mailgun post a mail with files; return what stands in its conversation."""
    at, token = str(int(house.clock.now().timestamp())), f"token-{key}"
    sign = hmac.new(KEY.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    form = FormData()
    for name, value in (
        ("timestamp", at),
        ("token", token),
        ("signature", sign),
        ("sender", "lin@mail.example"),
        ("recipient", "support@shop.example"),
        ("from", "Lin <lin@mail.example>"),
        ("subject", "沙发坏了"),
        ("Message-Id", f"<{key}@mail.example>"),
        ("body-plain", "请看照片，我要投诉"),
    ):
        form.add_field(name, value)
    for number, (name, mime, data) in enumerate(files, 1):
        form.add_field(f"attachment-{number}", data, filename=name, content_type=mime)
    answer = await client.post(f"/hooks/mail/{PATH_SECRET}", data=form)
    assert answer.status == 200, await answer.text()
    held = max(await house.open(), key=lambda each: each.opened_at)
    return await house.said(held.id)


def media_in(said: tuple[Interaction, ...]) -> list[Media]:
    return [each.content for each in said if isinstance(each.content, Media)]


async def row_of(house: House, media: str) -> MediaRow:
    return await house.store.read(lambda unit: unit.journal.media(MediaId(media)))


async def test_a_picture_in_a_mail_is_kept_and_shown_to_agents_only(house: House) -> None:
    await house.agent("lin")
    async with house.browser() as client, house.browser() as stranger:
        (shown,) = media_in(await mail(house, client, "m1", ("sofa.jpg", "image/jpeg", PNG)))
        assert (shown.mime, shown.size) == ("image/png", len(PNG))
        row = await row_of(house, shown.stored)
        assert (row.state, row.name, row.sha256) == (
            "stored",
            "sofa.jpg",
            hashlib.sha256(PNG).hexdigest(),
        )
        refused = await stranger.get(f"/media/{shown.stored}", allow_redirects=False)
        assert refused.status in {303, 401, 403}
        await sign_in(client, "lin")
        given = await client.get(f"/media/{shown.stored}")
        assert (given.status, await given.read()) == (200, PNG)


async def test_the_same_file_and_the_same_mail_again_are_kept_once(house: House) -> None:
    async with house.browser() as client:
        await mail(house, client, "m1", ("a.png", "image/png", PNG))
        (first,) = media_in(await mail(house, client, "m1", ("a.png", "image/png", PNG)))
        said = await mail(house, client, "m2", ("b.png", "image/png", PNG))
    assert {each.stored for each in media_in(said)} == {first.stored}
    files = [each.name for each in house.deps.settings.media.iterdir()]
    assert files == [first.stored]


async def test_what_is_no_file_of_ours_or_too_large_stays_out_and_the_words_stay(
    house: House,
) -> None:
    large = PNG + bytes(100_000)
    async with house.browser() as client:
        said = await mail(
            house, client, "m1", ("photo.jpg", "image/jpeg", PAGE), ("big.png", "image/png", large)
        )
    assert [each.stored for each in media_in(said)] == ["", ""]
    assert "我要投诉" in media_in(said)[0].caption
    assert not house.deps.settings.media.exists()
