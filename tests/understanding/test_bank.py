"""Borrowed wordings: an article that answers a common question is found however it is put."""

from functools import cache

from router.understanding.bank import borrowed, topics
from router.understanding.encoder import SentenceEncoder, open_encoder
from router.understanding.retrieval import Retrieval
from tests.understanding.test_retrieval import an_article

FEES = an_article("fees", "退货邮费谁出", "Do I pay for return shipping?")
COFFEE = an_article("coffee", "咖啡豆怎么保存", "How do I store coffee beans?")
TYRES = an_article("tyres", "轮胎气压多少", "What tyre pressure should I use?")


@cache
def encoder() -> SentenceEncoder:
    return open_encoder()


def lent(topic: str) -> tuple[str, ...]:
    return next(each.wordings for each in topics() if each.topic == topic)


def test_each_topic_is_listed_once_and_has_wordings_in_both_languages() -> None:
    assert len({each.topic for each in topics()}) == len(topics()) > 100
    for each in topics():
        assert len(each.questions) == 2
        assert any(wording.isascii() for wording in each.wordings)
        assert any(not wording.isascii() for wording in each.wordings)


def test_only_an_article_that_answers_the_same_borrows() -> None:
    assert borrowed([FEES, COFFEE, TYRES], encoder(), topics()) == [lent("ret-fee"), (), ()]


def test_of_two_articles_on_one_topic_the_nearer_borrows() -> None:
    usual = next(each for each in topics() if each.topic == "ret-fee")
    nearer = an_article("same", *usual.questions)
    assert borrowed([FEES, nearer], encoder(), topics()) == [(), usual.wordings]


def test_what_customers_say_finds_the_article_and_its_own_question_is_shown() -> None:
    index = Retrieval([FEES, COFFEE, TYRES], encoder())
    alone = Retrieval([FEES, COFFEE, TYRES], encoder(), common=())
    asked = "寄回去谁掏钱"
    found, before = (each.best(asked, language="zh")[0] for each in (index, alone))
    assert found.article == "fees"
    assert found.confidence > before.confidence
    assert found.question == "退货邮费谁出"


def test_nothing_is_borrowed_without_articles() -> None:
    assert borrowed([], encoder(), topics()) == []


def test_a_topic_can_do_without_some_wordings() -> None:
    topic = topics()[0]
    left = topic.without({topic.wordings[0]})
    assert left.wordings == topic.wordings[1:]
    assert left.questions == topic.questions
