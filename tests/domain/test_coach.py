"""The reply coach sees what is unwise, and leaves good replies alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.coach import CoachPolicy, Draft, Level, Rule, advise, blocking
from router.domain.ids import ProductId
from router.domain.privacy import find, mask
from router.domain.product import Product, ProductState
from tests.builders import NOW

EXAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/bots/coach.jsonl").read_text().splitlines()
]
HINTS = CoachPolicy()


def a_product(
    number: int, words: tuple[str, ...], *, on_sale: bool, successor: str = ""
) -> Product:
    return Product(
        id=ProductId(f"p-{number}"),
        state=ProductState.ON_SALE if on_sale else ProductState.DISCONTINUED,
        title={"zh": words[0], "en": words[-1]},
        words=words,
        since=NOW,
        updated_by="lin",
        successor=ProductId(successor) if successor else None,
    )


def a_draft(row: dict[str, Any]) -> Draft:
    return Draft(
        text=row["text"],
        language=row["lang"],
        earlier=row.get("earlier", ()),
        complains=row.get("complains", False),
        articles=row.get("articles", ()),
        products=tuple(
            a_product(number, tuple(each["words"]), on_sale=each["on_sale"])
            for number, each in enumerate(row.get("products", ()))
        ),
    )


def test_what_is_offered_instead_is_the_successor() -> None:
    products = (
        a_product(1, ("云杉沙发", "Spruce sofa"), on_sale=False, successor="p-2"),
        a_product(2, ("松木沙发", "Pine sofa"), on_sale=True),
    )
    (hint,) = advise(
        Draft(text="推荐您看看云杉沙发。", language="zh", products=products), policy=HINTS
    )
    assert (hint.quote, hint.better.endswith("松木沙发")) == ("云杉沙发", True)


@pytest.mark.parametrize("row", EXAMPLES, ids=[each["text"][:24] for each in EXAMPLES])
def test_the_coach_says_what_the_labels_say(row: dict[str, Any]) -> None:
    hints = advise(a_draft(row), policy=HINTS)
    assert sorted(each.rule.value for each in hints) == row["rules"]


def test_every_rule_has_examples_in_both_directions() -> None:
    hinted = {rule for row in EXAMPLES for rule in row["rules"]}
    assert hinted == {rule.value for rule in Rule}
    assert sum(not row["rules"] for row in EXAMPLES) >= len(EXAMPLES) / 3


def test_a_better_wording_comes_in_the_language_of_the_conversation() -> None:
    (zh,) = advise(Draft(text="我们会尽快处理。", language="zh"), policy=HINTS)
    (en,) = advise(Draft(text="I'll look into it.", language="en"), policy=HINTS)
    assert "点前" in zh.better
    assert "I will answer you by" in en.better


def test_a_rule_that_is_off_says_nothing_and_one_that_blocks_holds() -> None:
    draft = Draft(text="我们会尽快处理。", language="zh")
    assert advise(draft, policy=CoachPolicy(levels={Rule.NO_TIME: Level.OFF})) == ()
    strict = CoachPolicy(levels={Rule.NO_TIME: Level.BLOCK})
    assert [each.rule for each in blocking(advise(draft, policy=strict), policy=strict)] == [
        Rule.NO_TIME
    ]


def test_a_number_is_offered_masked_and_the_shops_own_is_left() -> None:
    (hint,) = advise(Draft(text="快递会打13800138000，明天到。", language="zh"), policy=HINTS)
    assert hint.better == "快递会打138****8000，明天到。"
    own = Draft(text="请拨13800138000。", language="zh", public=frozenset({"13800138000"}))
    assert advise(own, policy=HINTS) == ()


@given(st.text())
def test_what_is_masked_holds_nothing_private_of_the_same_kind(text: str) -> None:
    masked = mask(text)
    assert not {each.kind for each in find(text)} & {
        each.kind for each in find(masked) if each.kind.value != "email"
    }


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_can_be_looked_at(text: str, article: str) -> None:
    hints = advise(
        Draft(text=text, language="zh", complains=True, articles=[article]), policy=HINTS
    )
    assert len({each.rule for each in hints}) == len(hints)
