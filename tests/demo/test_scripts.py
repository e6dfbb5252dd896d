"""What is played: people and articles that fit, and words that the reader hears as meant."""

import pytest

from router.cli.demo.pictures import picture
from router.cli.demo.scripts import DATA, language_of, read_scripts
from router.cli.demo.seed import AGENT, SUPERVISOR
from router.cli.imports import read_agents, read_articles
from router.domain.reading import Alarm
from router.service.media import sniff
from router.understanding.reader import RuleReader

SCRIPTS = read_scripts()
SAID = [
    *(
        (each.key, [said.text for said in each.says if said.by == "customer"], each.severity)
        for each in SCRIPTS.customer
    ),
    *((each.text[:12], [each.text], each.severity) for each in SCRIPTS.line),
]


@pytest.mark.parametrize(
    ("words", "severity"), [each[1:] for each in SAID], ids=[s[0] for s in SAID]
)
def test_the_reader_hears_a_complaint_where_one_is_played_and_nowhere_else(
    words: list[str], severity: int
) -> None:
    readings = [RuleReader().read(text) for text in words if text]

    alarms = {reading.complaint for reading in readings}
    assert bool(severity) == bool(alarms - {Alarm.NONE, Alarm.WATCH}) or severity == 1
    assert max(reading.severity for reading in readings) >= severity


def test_every_channel_has_customers_and_both_languages_are_spoken() -> None:
    assert {each.channel for each in SCRIPTS.customer} == {
        *("wechat", "weibo", "webchat", "phone", "twilio")
    }
    assert {language_of(each.says[0].text) for each in SCRIPTS.customer} == {"zh", "en"}
    assert {each[2] for each in SAID} == {0, 1, 2, 3}


def test_agents_have_an_answer_to_everything_that_is_said() -> None:
    for _, words, _ in SAID:
        text = " ".join(words)
        answer = SCRIPTS.answer_to(text, language=language_of(text))
        assert language_of(answer) == language_of(text)


def test_the_people_and_the_articles_can_be_imported() -> None:
    people = {row.login for row in read_agents(DATA / "agents.json")}
    articles = read_articles(DATA / "articles.jsonl")

    assert {AGENT, SUPERVISOR} < people
    assert 8 <= len(people) <= 12
    assert len({row.id for row in articles}) == 124
    assert all(row.wordings() and row.answer_zh and row.answer_en for row in articles)


def test_a_painted_picture_is_one_that_we_would_keep() -> None:
    assert sniff(picture("sofa")) == "image/png"
    assert picture("sofa") != picture("bed")
