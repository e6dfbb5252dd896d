"""Products: nothing recommends what is not on sale, and a recall has its statement."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import ProductId
from router.domain.product import (
    NEXT,
    Product,
    ProductState,
    checked,
    may_be_used,
    moved,
    named_in,
    unsaleable_in,
)
from tests.builders import NOW, a_product

SOFA = a_product("sofa", words=("沙发", "sofa"), title={"zh": "云朵沙发"})
LAMP = a_product("lamp", words=("台灯", "lamp"), title={"zh": "月光台灯"})
NOTICE = {"zh": "请停止使用并联系我们。", "en": "Stop using it and write to us."}


def catalogue(**states: ProductState) -> dict[ProductId, Product]:
    return {
        each.id: replace(each, state=states.get(each.id, ProductState.ON_SALE))
        for each in (SOFA, LAMP)
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("这个沙发有货吗", ["sofa"]),
        ("Is the SOFA in stock?", ["sofa"]),
        ("sofabed", []),
        ("clamp", []),
        ("沙发和台灯", ["sofa", "lamp"]),
        ("你好", []),
    ],
)
def test_a_product_is_found_by_what_customers_call_it(text: str, named: list[str]) -> None:
    assert [each.id for each in named_in(text, (SOFA, LAMP))] == named


@pytest.mark.parametrize("state", [each for each in ProductState if each != "on_sale"])
def test_what_is_not_on_sale_is_never_recommended(state: ProductState) -> None:
    gone = catalogue(sofa=state)
    about = frozenset({ProductId("sofa"), ProductId("lamp")})
    assert not may_be_used(
        answer="推荐看看。", about=about, recommends=True, asked="推荐什么", products=gone
    )
    assert not may_be_used(
        answer="推荐云朵沙发", about=(), recommends=True, asked="沙发怎么样", products=gone
    )
    assert not may_be_used(
        answer="可以看看云朵沙发。", about=(), recommends=False, asked="有什么推荐", products=gone
    )
    assert [each.id for each in unsaleable_in("沙发、台灯", gone.values())] == ["sofa"]


def test_who_asks_about_what_is_no_longer_sold_is_told_about_it() -> None:
    gone = catalogue(sofa=ProductState.DISCONTINUED)
    care = {"answer": "用湿布擦拭。", "about": {ProductId("sofa")}, "recommends": False}
    assert may_be_used(asked="沙发脏了怎么洗", products=gone, **care)
    assert not may_be_used(asked="脏了怎么洗", products=gone, **care)


@given(
    st.fixed_dictionaries({name: st.sampled_from(ProductState) for name in ("sofa", "lamp")}),
    st.sets(st.sampled_from(["sofa", "lamp"])),
    st.sampled_from(["", "云朵沙发", "月光台灯", "云朵沙发和月光台灯"]),
    st.sampled_from(["沙发", "台灯", "推荐"]),
)
def test_whatever_recommends_names_only_what_is_on_sale(
    states: dict[str, ProductState], about: set[str], answer: str, asked: str
) -> None:
    held = catalogue(**states)
    names = {ProductId(each) for each in about}
    used = may_be_used(answer=answer, about=names, recommends=True, asked=asked, products=held)
    spoken = {each.id for each in named_in(answer, held.values())} | names
    assert used == all(held[each].on_sale for each in spoken)


@given(st.sampled_from(ProductState), st.sampled_from(ProductState))
def test_a_life_goes_only_as_the_table_says(before: ProductState, after: ProductState) -> None:
    product = replace(SOFA, state=before, notice=NOTICE)
    if after is before or after in NEXT[before]:
        assert moved(product, after, at=NOW).state is after
    else:
        with pytest.raises(IllegalStep):
            moved(product, after, at=NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ProductId("Sofa 1")}, "id"),
        ({"title": {"zh": " "}}, "title"),
        ({"title": {"fr": "canapé"}}, "title"),
        ({"state": ProductState.RECALLED, "notice": {"zh": "停用"}}, "notice"),
        ({"successor": ProductId("sofa")}, "successor"),
        ({"successor": ProductId("none")}, "successor"),
    ],
)
def test_what_cannot_be_a_product_is_refused_by_its_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid, match=f"^{field}:"):
        checked(replace(SOFA, **changes), {SOFA.id, LAMP.id})
