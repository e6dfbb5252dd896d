"""Products and scripts to and from files: what goes out comes in again, and problems are named."""

from collections.abc import Sequence
from typing import Any

import pytest

from router.domain.errors import Invalid
from router.domain.ids import ProductId, ScriptId
from router.domain.product import Product, ProductState
from router.domain.script import Script, ScriptState
from router.service import products, scripts
from router.service.files import KINDS, FileProblem, kind_of
from router.service.rowfile import FORMATS
from router.service.unit import Unit
from tests.service.conftest import Shop

PRODUCTS = """id,state,title_zh,title_en,words,successor,notice_zh,notice_en
moon-lamp,discontinued,月光台灯,Moon lamp,月光台灯|月光灯,star-lamp,,
star-lamp,on_sale,星河台灯,Star lamp,,,,
pine-bed,recalled,松木床,Pine bed,,,"请停用，
我们退款。",Please stop using it.
"""
SCRIPTS = """id,title,shortcut,promotional,wording.any.zh,wording.taobao.zh,wording.any.en
hello,问候,hy,true,"您好，我是{agent}。",亲亲在的～,"Hello, {contact}"
bye,再见,zj,,再见。,,
"""


async def take(shop: Shop, kind: str, text: str, form: str = "csv", *, four: bool = False) -> int:
    """Take a file in; return how many rows were new or different."""
    held = KINDS[kind]
    return await shop.store.transact(
        held.take_in, rows=held.read(text, form), by="rong", four_eyes=four, at=shop.clock.now()
    )


async def all_products(shop: Shop) -> Sequence[Product]:
    return await shop.store.read(products.products)


async def all_scripts(shop: Shop) -> Sequence[Script]:
    return await shop.store.read(scripts.scripts)


@pytest.mark.parametrize("form", FORMATS)
async def test_products_go_out_and_come_in_unchanged(shop: Shop, form: str) -> None:
    assert await take(shop, "products", PRODUCTS) == 3
    held = {each.id: each for each in await all_products(shop)}
    moon, bed = held[ProductId("moon-lamp")], held[ProductId("pine-bed")]
    assert (moon.state, moon.successor) == (ProductState.DISCONTINUED, "star-lamp")
    assert moon.words == ("月光台灯", "月光灯")
    assert bed.notice == {"zh": "请停用，\n我们退款。", "en": "Please stop using it."}
    text = await shop.store.read(KINDS["products"].written, form)
    assert await take(shop, "products", text, form) == 0
    changed = text.replace("星河台灯", "银河台灯")
    assert await take(shop, "products", changed, form) == 1


@pytest.mark.parametrize("form", FORMATS)
async def test_scripts_go_out_and_come_in_unchanged(shop: Shop, form: str) -> None:
    assert await take(shop, "scripts", SCRIPTS) == 2
    held = {each.id: each for each in await all_scripts(shop)}
    hello = held[ScriptId("hello")]
    assert (hello.state, hello.promotional) == (ScriptState.APPROVED, True)
    assert hello.approved == {
        "any": {"zh": "您好，我是{agent}。", "en": "Hello, {contact}"},
        "taobao": {"zh": "亲亲在的～"},
    }
    text = await shop.store.read(KINDS["scripts"].written, form)
    assert await take(shop, "scripts", text, form) == 0
    assert await take(shop, "scripts", text.replace("再见。", "再见，祝您愉快。"), form) == 1


async def test_what_is_withdrawn_goes_into_another_house_and_is_in_use_nowhere(shop: Shop) -> None:
    row = '{"id":"a","title":"a","state":"withdrawn","wordings":{"any":{"zh":"好"}}}'
    assert await take(shop, "scripts", row, "jsonl") == 1
    (held,) = await all_scripts(shop)
    assert (held.state, held.approved) == (ScriptState.DRAFT, {})
    article = '{"id":"a","questions":["退货"],"answer_zh":"七天","state":"withdrawn"}'
    assert await take(shop, "articles", article, "jsonl") == 1
    assert await shop.store.read(lambda unit: unit.knowledge.standing()) == ()


async def test_an_import_needs_a_second_pair_of_eyes_where_the_shop_wants_them(shop: Shop) -> None:
    await take(shop, "scripts", SCRIPTS, four=True)
    assert {each.state for each in await all_scripts(shop)} == {ScriptState.IN_REVIEW}


@pytest.mark.parametrize(
    ("kind", "form", "text", "said"),
    [
        ("products", "csv", "id,colour\na,red\n", ["line 1: colour: is no", "line 2: title_zh:"]),
        ("products", "csv", "id,title_zh,state\na,床,sold\n", ["line 2: state: 'sold' is not one"]),
        ("products", "jsonl", '{"id":"a","title_zh":"床"}\n{"id":"a","title_zh":"床"}', ["line 2"]),
        ("products", "json", "[]", ["there is no product"]),
        ("products", "md", "", ["md: expected one of csv, json, jsonl"]),
        ("scripts", "csv", "id,title,wording.any.fr\na,b,c\n", ["line 1: wording.any.fr: is no"]),
        ("scripts", "json", '[{"id":"a"}]', ["line 1: title: "]),
        ("scripts", "jsonl", '{"id":"a","title":"b"}', ["line 1: wording.any.zh: write the"]),
        ("scripts", "json", '[{"id":"a","title":"b","wordings":{"any":"x"}}]', ["wordings"]),
    ],
)
def test_each_problem_names_its_line_and_field(
    kind: str, form: str, text: str, said: list[str]
) -> None:
    with pytest.raises(FileProblem) as refused:
        KINDS[kind].read(text, form)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(said), lines
    assert all(part in line for part, line in zip(said, lines, strict=True)), lines


@pytest.mark.parametrize(
    ("kind", "row", "says"),
    [
        ("products", "b,on_sale,床,none,", "b: successor: 'none' is not a product"),
        ("products", "b,recalled,床,,", "b: notice: a recall needs"),
        ("products", "good,coming,床,,", "good: state: the product is on_sale; it cannot become"),
        ("products", "b,on_sale,床,c,\nc,on_sale,椅,b,", "successor: goes round in a circle"),
        ("scripts", "b,t,好{nobody}", "b: wordings.any.zh: {nobody} is not a variable"),
    ],
)
async def test_a_row_that_cannot_be_taken_takes_none_with_it(
    shop: Shop, kind: str, row: str, says: str
) -> None:
    heads = {
        "products": "id,state,title_zh,successor,words\ngood,on_sale,沙发,,\n",
        "scripts": "id,title,wording.any.zh\ngood,好,好的\n",
    }
    if row.startswith("good,"):
        await take(shop, kind, heads[kind])
        heads[kind] = heads[kind].partition("\n")[0] + "\n"

    def count(unit: Unit) -> int:
        return len(unit.knowledge.products()) + len(unit.scripts.all())

    before = await shop.store.read(count)
    with pytest.raises(Invalid, match=says):
        await take(shop, kind, heads[kind] + row + "\n")
    assert await shop.store.read(count) == before


def test_there_is_no_other_kind_of_file() -> None:
    with pytest.raises(Invalid, match="of: 'people' is not one of articles, products, scripts"):
        kind_of("people")
    assert isinstance(KINDS["products"].formats, tuple)


def test_every_kind_reads_what_every_spreadsheet_writes() -> None:
    marked: Any = "\ufeff" + SCRIPTS
    assert [row.id for row in KINDS["scripts"].read(marked, "csv")] == ["hello", "bye"]
