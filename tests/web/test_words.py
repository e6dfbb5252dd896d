"""Every code that can reach a reader is said in words, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

from router.channel.contract import Family, Reason
from router.domain.case import LEVELS, CaseStatus, Resolution
from router.domain.errors import DomainError
from router.domain.events import KINDS
from router.domain.grounding import Fault
from router.domain.reading import Intent
from router.domain.timeline import Sending
from router.domain.workforce import Presence, Role
from router.service.botcounts import FAILURES
from router.service.desk import DISPOSITIONS
from router.service.records import OutboxState
from router.web.i18n import MissingCatalogue, Words, accepted, duration, read_words
from router.web.pages import HERE
from router.web.phrases import PHRASES

LOCALE = HERE / "locale"


@pytest.fixture(scope="module")
def words() -> Words:
    return read_words(LOCALE)


def _errors(kind: type[DomainError] = DomainError) -> Iterator[str]:
    yield kind.code
    for each in kind.__subclasses__():
        yield from _errors(each)


@pytest.mark.parametrize(
    ("topic", "codes"),
    [
        ("error", tuple(_errors())),
        ("reason", tuple(Reason)),
        ("event", tuple(KINDS)),
        ("presence", tuple(Presence)),
        ("role", tuple(Role)),
        ("family", tuple(Family)),
        ("case_status", tuple(CaseStatus)),
        ("resolution", tuple(Resolution)),
        ("level", LEVELS),
        ("topic", tuple(Intent)),
        ("disposition", DISPOSITIONS),
        ("outbox", tuple(OutboxState)),
        ("bot_reason", (*FAILURES, *Fault, "bot_unsure", "most_turns", "open_case")),
        ("sending", tuple(each for each in Sending if each)),
    ],
)
def test_every_code_has_words(topic: str, codes: tuple[str, ...]) -> None:
    assert set(map(str, codes)) <= set(PHRASES[topic])


def test_every_phrase_is_translated(words: Words) -> None:
    texts = {text for topic in PHRASES.values() for text in topic.values()}
    assert texts - set(words.singular["zh"]) == set()


def test_a_translation_keeps_the_places_that_are_filled_in() -> None:
    for entry in polib.pofile(str(LOCALE / "zh_CN.server.po")):
        assert entry.msgid.count("%(detail)s") == entry.msgstr.count("%(detail)s")


def test_a_declared_language_without_its_catalogue_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(MissingCatalogue, match=r"zh_CN\.po"):
        read_words(tmp_path)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("fr,zh;q=0.2,en;q=0.7", "en"),
        ("fr-FR", None),
        ("", None),
        ("zh;q=high", "zh"),
        (",;q=;,", None),
    ],
)
def test_the_browsers_wishes_are_weighed(header: str, language: str | None) -> None:
    assert accepted(header) == language


def test_a_wait_is_said_in_the_units_that_matter() -> None:
    assert duration(42, "en") == "42 secs"
    assert duration(5 * 60 + 3, "zh") == "5分钟"
    assert duration(3 * 3600, "zh") == "3小时"
