"""Languages of the pages: catalogues read at start, the language of a request, dates and durations.

English is the source text. ``locale/*.po`` is read without a compile step: ``zh_CN.po`` holds the
pages, ``zh_CN.server.po`` what `router.web.phrases` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import polib
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent

#: The languages that pages are written in, with each one's own name.
LANGUAGES: Final[Mapping[str, str]] = {"zh": "中文", "en": "English"}
SOURCE = "en"
LOCALES: Final[Mapping[str, str]] = {"zh": "zh_CN", "en": "en_GB"}
#: What a catalogue of each translated language consists of.
_FILES: Final[Mapping[str, tuple[str, ...]]] = {"zh": ("zh_CN.po", "zh_CN.server.po")}
COOKIE = "mainstem_lang"
_MINUTE = timedelta(minutes=1)


class MissingCatalogue(Exception):
    """A declared language has no catalogue; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything that is translated: source text → text, by language; plurals apart."""

    singular: Mapping[str, Mapping[str, str]]
    plural: Mapping[str, Mapping[str, str]]

    def say(self, text: str, lang: str) -> str:
        """Return ``text`` in ``lang``; the source text where it was not translated."""
        return self.singular.get(lang, {}).get(text) or text

    def say_many(self, one: str, many: str, count: int, lang: str) -> str:
        """Return the form for ``count``. Chinese has a single one."""
        translated = self.plural.get(lang, {}).get(one)
        if translated:
            return translated
        return one if count == 1 else many


def read_words(folder: Path) -> Words:
    """Read every declared language from ``folder``; raises `MissingCatalogue`."""
    singular: dict[str, dict[str, str]] = {}
    plural: dict[str, dict[str, str]] = {}
    for lang, names in _FILES.items():
        singular[lang], plural[lang] = {}, {}
        for name in names:
            path = folder / name
            if not path.is_file():
                raise MissingCatalogue(f"language {lang} is declared, but {path} does not exist")
            for entry in polib.pofile(str(path)).translated_entries():
                if entry.msgid_plural:
                    plural[lang][entry.msgid] = entry.msgstr_plural[0]
                else:
                    singular[lang][entry.msgid] = entry.msgstr
    return Words(singular=singular, plural=plural)


def accepted(header: str) -> str | None:
    """Return the best of our languages in an Accept-Language header, if it names one."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, rest = part.strip().partition(";")
        lang = tag.strip().lower().split("-")[0]
        if lang in LANGUAGES:
            wishes.append((-_quality(rest), place, lang))
    return min(wishes)[2] if wishes else None


def _quality(rest: str) -> float:
    try:
        return float(rest.strip().removeprefix("q="))
    except ValueError:
        return 1.0


# ----- times -------------------------------------------------------------------------------------


def duration(value: timedelta | float, lang: str) -> str:
    """Return a span in words, such as "3 min" or "3分钟"; seconds may be given as a number."""
    span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    shown = span if abs(span) < _MINUTE else timedelta(minutes=span // _MINUTE)
    return str(format_timedelta(shown, format="short", threshold=1.5, locale=LOCALES[lang]))


def clock(value: datetime, lang: str, zone: ZoneInfo) -> str:
    """Return the time of day, in the shop's time zone."""
    return str(format_time(value, "HH:mm", tzinfo=zone, locale=LOCALES[lang]))


def day(value: datetime, lang: str, zone: ZoneInfo) -> str:
    """Return the date, in the shop's time zone."""
    return str(format_date(value.astimezone(zone), "medium", locale=LOCALES[lang]))


def moment(value: datetime, lang: str, zone: ZoneInfo) -> str:
    """Return date and time, in the shop's time zone."""
    return str(format_datetime(value, "medium", tzinfo=zone, locale=LOCALES[lang]))


def local(value: datetime, zone: ZoneInfo) -> str:
    """Return a time as the fields of a form take it, in the shop's time zone."""
    return value.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def iso(value: datetime) -> str:
    """Return a time as scripts read it, in UTC."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_only(value: str, lang: str) -> str:
    """Return a date that is written as 2026-11-11 as the language writes it."""
    return str(format_date(date.fromisoformat(value), "medium", locale=LOCALES[lang]))


def share(value: float, lang: str) -> str:
    """Return a share from 0 to 1 in percent, with one digit after the point."""
    return str(format_percent(value, "#,##0.#%", locale=LOCALES[lang]))


def number(value: float, lang: str) -> str:
    """Return a number as the language writes it."""
    return str(format_decimal(value, locale=LOCALES[lang]))
