"""Articles to and from files: what goes out comes in again, and each problem has its line."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.article import ArticleState
from router.domain.errors import Invalid
from router.domain.question import QuestionState
from router.service import questions
from router.service.articlefile import FORMATS, FileProblem, read_articles, take_in, written
from tests.builders import an_article
from tests.service.conftest import CHAT, Shop

_WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20
).map(lambda text: text.replace("|", "/").strip())
_TEXT = _WORDS.filter(lambda text: bool(text) and not text.startswith(("+++", "## ")))


@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(_TEXT, _TEXT, _TEXT), min_size=1, max_size=4),
    st.booleans(),
)
def test_what_goes_out_comes_in_again(
    form: str,
    texts: list[tuple[str, str, str]],
    recommends: bool,  # noqa: FBT001  hypothesis passes it
) -> None:
    until = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)
    articles = [
        an_article(
            f"a-{number}",
            state=ArticleState.DRAFT,
            questions=tuple(dict.fromkeys((question, "怎么退货"))),
            answer_zh=zh,
            answer_en=en,
            recommends=recommends,
            products=frozenset({"sofa"}),
            valid_until=until if number % 2 else None,
        )
        for number, (question, zh, en) in enumerate(texts)
    ]
    rows = read_articles(written(articles, form), form)
    for row, held in zip(rows, articles, strict=True):
        assert (row.id, row.wordings(), row.state) == (held.id, held.questions, "draft")
        assert (row.answer_zh, row.answer_en) == (held.answer_zh, held.answer_en)
        assert (row.recommends, row.valid_until) == (recommends, held.valid_until)
        assert (set(row.channels), set(row.products)) == (held.channels, held.products)


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("csv", "id,questions,answer_zh\na,退货,七天\nb,,七天\n", ["line 3: questions: write"]),
        ("csv", "id,nonsense\na,b\n", ["line 1: nonsense: is no column", "line 2: questions:"]),
        (
            "csv",
            'id,questions,answer_zh\na,退货,"第一行\n第二行"\na,退货,七天\n',
            ["line 4: id: 'a' stands in line 3"],
        ),
        (
            "csv",
            "id,questions,answer_zh,valid_until\na,退货,七天,morgen\n",
            ["line 2: valid_until:"],
        ),
        (
            "jsonl",
            '{"id":"a","questions":["退货"]}\n{oops\n',
            ["line 1: answer_zh", "line 2: json:"],
        ),
        ("jsonl", '\n{"id":"a","questions":"退货"}', ["line 2: questions: expected `array`"]),
        ("json", '[\n {"id": "a"},\n {"id": 7}\n]', ["line 2: questions:", "line 3: id:"]),
        ("json", '{"id": "a"}', ["line 1: json: expected a list"]),
        ("json", '[\n{"id": "a",\n]', ["line 3: json:"]),
        ("md", "+++\nid = 'a'\nquestions = [\n+++\ntext", ["head:"]),
        ("md", "no head", ["+++: each article's head"]),
        (
            "md",
            "+++\nid = 'a'\nquestions = ['q']\nstate = 'live'\n+++\ntext",
            ["line 1: state: 'live' is not one of"],
        ),
        ("xls", "", ["xls: expected one of csv, json, jsonl, md"]),
        ("json", "[]", ["there is no article"]),
    ],
)
def test_each_problem_names_its_line_and_field(form: str, text: str, said: list[str]) -> None:
    with pytest.raises(FileProblem) as refused:
        read_articles(text, form)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(said), lines
    assert all(part in line for part, line in zip(said, lines, strict=True)), lines


async def test_a_file_comes_in_whole_or_not_at_all(shop: Shop) -> None:
    async def take(text: str) -> Any:
        return await shop.store.transact(
            take_in,
            rows=read_articles(text, "jsonl"),
            by="command-line",
            four_eyes=False,
            at=shop.clock.now(),
        )

    good = '{"id":"a","questions":["退货"],"answer_zh":"七天"}\n'
    with pytest.raises(Invalid, match="b: products: 'none' is not a product"):
        await take(good + '{"id":"b","questions":["x"],"answer_zh":"y","products":["none"]}')
    assert await shop.store.read(lambda unit: unit.knowledge.articles()) == ()
    assert await take(good) == 1
    assert await take(good) == 0  # the same again publishes nothing
    (held,) = await shop.store.read(lambda unit: unit.knowledge.publications("a"))
    assert held.number == 1


async def test_open_questions_become_a_draft_with_their_wordings(shop: Shop) -> None:
    for person, words in (("one", "支持以旧换新吗"), ("two", "你们支持以旧换新吗 13800138000")):
        await shop.hear(CHAT, person, words)
    await shop.settle()
    held = await shop.store.read(questions.open_questions)
    assert len(held) == 2
    made = await shop.store.transact(
        questions.draft,
        questions=[each.id for each in held],
        article="swap",
        by="wang",
        at=shop.clock.now(),
    )
    assert (made.state, made.live) == (ArticleState.DRAFT, None)
    assert set(made.questions) == {"支持以旧换新吗", "你们支持以旧换新吗 …"}
    assert await shop.store.read(questions.open_questions) == ()
    with pytest.raises(Invalid, match="none of them is open"):
        await shop.store.transact(
            questions.draft,
            questions=[held[0].id],
            article="again",
            by="wang",
            at=shop.clock.now(),
        )
    assert held[0].state is QuestionState.OPEN
