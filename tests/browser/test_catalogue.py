"""The pages' sentences: every one of them is there in Chinese, with the same placeholders."""

import re
from collections.abc import Iterator
from pathlib import Path

import polib
from babel.messages.extract import extract_from_dir

from router.web.i18n import read_words
from router.web.pages import HERE
from router.web.phrases import PHRASES

_PLACES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}


def sentences() -> Iterator[tuple[str, bool]]:
    """Yield every source sentence of the pages and whether it has a plural."""
    options = {"**": {"extensions": "jinja2.ext.do", "trimmed": "true", "newstyle_gettext": "true"}}
    for folder, method in ((HERE / "templates", "jinja2"), (HERE / "console", "python")):
        found = extract_from_dir(
            str(folder),
            method_map=[("shop/**", "ignore"), ("**.html", method), ("**.py", method)],
            options_map=options if method == "jinja2" else None,
            keywords=_KEYWORDS,
        )
        for _file, _line, text, _comments, _context in found:
            yield (text[0], True) if isinstance(text, tuple) else (text, False)


def test_every_sentence_of_the_pages_is_translated() -> None:
    words = read_words(HERE / "locale")
    missing = {
        text
        for text, plural in sentences()
        if text not in (words.plural if plural else words.singular)["zh"]
    }
    assert missing == set()


def test_a_translation_has_the_placeholders_of_its_source() -> None:
    wrong = {}
    for entry in polib.pofile(str(Path(HERE) / "locale" / "zh_CN.po")):
        given = entry.msgstr or entry.msgstr_plural[0]
        if set(_PLACES.findall(entry.msgid)) != set(_PLACES.findall(given)):
            wrong[entry.msgid] = given
    assert wrong == {}


def test_the_catalogue_holds_no_sentence_that_nobody_says() -> None:
    from_pages = {text for text, _plural in sentences()}
    said = from_pages | {text for topic in PHRASES.values() for text in topic.values()}
    held = {entry.msgid for entry in polib.pofile(str(Path(HERE) / "locale" / "zh_CN.po"))}
    assert held - said == set()
