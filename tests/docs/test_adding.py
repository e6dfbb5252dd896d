"""The walk-through for a new channel is true: its blocks are an adapter that works."""

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from router.channel.accounts import Account, open_account
from router.channel.contract import Channel, Deferred, Outbound, Reason, Refused, Reply
from router.channel.registry import channels
from router.domain.content import Media, MediaKind, Text
from router.domain.ids import AccountName, QueueName
from router.store.engine import SqlStore
from tests.adapters.case_files import NOW, Case, answered, played, unknown_keys
from tests.adapters.test_cases import compare_exchange, compare_step
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import PATH_SECRET, a_house

PAGE = (Path(__file__).parents[2] / "docs/channels/adding.md").read_text("utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def parrot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    """Put the page's code into a folder of its own and let the registry find it."""
    folder = tmp_path / "strange_adapters" / "parrot"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("", "utf-8")
    (folder / "__init__.py").write_text(block("python"), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield channels(package="strange_adapters", group="nobody.registers.here")["parrot"]
    for name in ("strange_adapters", "strange_adapters.parrot"):
        sys.modules.pop(name, None)


@pytest.fixture
def story(parrot: Channel, tmp_path: Path) -> Case:
    told = tomllib.loads(block("toml"))
    return Case(channel=parrot, path=tmp_path / "text.toml", told=told)


def account_of(story: Case) -> Account:
    return open_account(
        story.channel,
        name=AccountName("shop-parrot"),
        queue=QueueName("general"),
        settings=story.told["settings"],
        path_secret=PATH_SECRET,
    )


def test_the_story_goes_as_it_is_told(story: Case) -> None:
    assert not unknown_keys(story)
    for step, taken in played(story):
        compare_step(step, taken)
    for exchange in story.exchanges():
        compare_exchange(exchange, answered(story, exchange))


async def test_its_words_come_through_the_webhook_onto_the_timeline_once(
    story: Case, sqlite_store: SqlStore, ids: CountingIds, tmp_path: Path
) -> None:
    account = account_of(story)
    first, forged = (step["request"] for step in story.steps() if "request" in step)
    async with (
        a_house(
            sqlite_store, FixedClock(NOW), ids, tmp_path, more={account.name: account}
        ) as house,
        house.browser() as client,
    ):

        async def post(request: dict[str, Any]) -> tuple[int, str]:
            answer = await client.post(
                f"/hooks/shop-parrot/{PATH_SECRET}",
                data=request["body"].encode(),
                headers=request["headers"],
            )
            return answer.status, await answer.text()

        assert await post(first) == (200, '{"ok":true}')
        assert await post(first) == (200, '{"ok":true}')
        assert (await post(forged))[0] == 401
        (held,) = await house.open()
        said = await house.said(held.id)
    assert [each.content for each in said] == [Text(text="桌子裂了，我要投诉")]


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (Reply(status=429, body=b"", headers={"retry-after": "7"}), "later"),
        (Reply(status=400, body=b'{"error":"window","message":"too late"}'), Reason.WINDOW),
        (Reply(status=400, body=b'{"error":"odd"}'), Reason.UNKNOWN),
        (Reply(status=200, body=b"<html>"), Reason.UNKNOWN),
        (Reply(status=401, body=b"{}"), Reason.CREDENTIALS),
    ],
)
def test_what_the_platform_answers_is_understood(story: Case, reply: Reply, meaning: Any) -> None:
    adapter = story.adapter()
    message = Outbound(id="m", recipient="u-7", content=Text(text="好"), at=NOW)
    (call,) = adapter.encode(message)
    outcome = adapter.interpret(call, reply)
    told = outcome.reason if isinstance(outcome, Refused) else "later"
    assert (told, isinstance(outcome, Deferred)) == (meaning, meaning == "later")


def test_what_it_cannot_show_is_said_in_words_and_long_words_in_parts(story: Case) -> None:
    picture = Media(kind=MediaKind.IMAGE, link="https://shop.example/a.jpg", caption="看")
    for content, parts in ((picture, 1), (Text(text="投" * 2500), 3)):
        calls = story.adapter().encode(Outbound(id="m", recipient="u", content=content, at=NOW))
        assert len(calls) == parts
        assert len({call.body for call in calls}) == parts
