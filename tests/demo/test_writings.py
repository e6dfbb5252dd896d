"""The demonstration's products and scripts are as the product wants its own, and come in once."""

from router.cli.demo.scripts import DATA
from router.cli.demo.writings import read_writings, write_all
from router.domain.contradiction import Sign, contradictions
from router.domain.ids import ProductId, ScriptId
from router.domain.product import ProductState
from router.service.articlefile import read_articles, take_in
from router.store.engine import SqlStore
from router.understanding.grouping import near
from tests.builders import NOW


async def test_the_starter_writings_come_in_and_coming_again_changes_nothing(
    store: SqlStore,
) -> None:
    for _ in range(2):
        await store.transact(write_all, read_writings(), by="admin", at=NOW)
    scripts = await store.read(lambda unit: unit.scripts.all())
    assert {each.version for each in scripts} == {2}  # written and approved, once
    assert len(scripts) == len(read_writings().scripts)
    bed = await store.read(lambda unit: unit.knowledge.product(ProductId("pine-bed")))
    assert bed.state is ProductState.RECALLED


async def test_each_script_speaks_both_languages_and_the_tones_of_its_channels(
    store: SqlStore,
) -> None:
    await store.transact(write_all, read_writings(), by="admin", at=NOW)
    script = await store.read(lambda unit: unit.scripts.get(ScriptId("sorry")))
    said = {
        name: script.wording(channel=name, family=family, language="zh")[1]
        for name, family in (("taobao", "shop"), ("jd", "shop"), ("weibo", "social"))
    }
    assert "亲" in said["taobao"]
    assert "亲" not in said["jd"]
    assert "#" in said["weibo"]
    for each in read_writings().scripts:
        assert set(each.wordings["any"]) == {"zh", "en"}


async def test_the_starter_articles_do_not_contradict_each_other_in_numbers(
    store: SqlStore,
) -> None:
    rows = read_articles((DATA / "articles.jsonl").read_text("utf-8"), "jsonl")
    await store.transact(take_in, rows=rows, by="admin", four_eyes=False, at=NOW)
    held = await store.read(lambda unit: unit.knowledge.standing())
    found = contradictions(held, near=near, at=NOW)
    assert [each.question for each in found if each.sign is not Sign.ANSWERS] == []
