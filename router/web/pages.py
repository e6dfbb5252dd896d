"""How a page is made: two Jinja environments (one a language), and what every template is given.

Every template has ``lang``, ``me`` (None before sign-in), ``csrf``, ``at`` (the time of the page),
``path``, and the filters ``duration``, ``clock``, ``day``, ``moment``,
``number``, ``iso``, ``local`` (for inputs), ``said(topic)`` (a code in words, see
`router.web.phrases`) and ``left_out``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web

from router.domain.workforce import Agent
from router.web import i18n
from router.web.deps import DEPS
from router.web.i18n import LANGUAGES, Words
from router.web.me import ME, language_of, me_or_none
from router.web.phrases import phrase

HERE = Path(__file__).parent
#: Reasons for leaving an agent out whose detail is a code of its own topic.
_DETAILS = {"presence": "presence", "channel": "family"}


class Pages:
    """Renders templates, each in the language asked for."""

    def __init__(self, words: Words, *, timezone: str, folder: Path = HERE / "templates") -> None:
        self.words = words
        self._zone = ZoneInfo(timezone)
        self._environments = {lang: self._environment(lang, folder) for lang in LANGUAGES}

    def render(self, template: str, lang: str, context: Mapping[str, Any]) -> str:
        """Return the page; an undefined name in a template is an error."""
        return self._environments[lang].get_template(template).render(**context)

    def say(self, topic: str, code: object, lang: str) -> str:
        """Return what a code means, in ``lang``."""
        return self.words.say(phrase(topic, code), lang)

    def _environment(self, lang: str, folder: Path) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        words = self.words

        def gettext(text: str) -> str:
            return words.say(text, lang)

        def ngettext(one: str, many: str, count: int) -> str:
            return words.say_many(one, many, count, lang)

        environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's
            gettext, ngettext, newstyle=True
        )
        environment.policies["ext.i18n.trimmed"] = True
        environment.globals["lang"] = lang
        environment.globals["languages"] = LANGUAGES
        environment.filters.update(self._filters(lang))
        return environment

    def _filters(self, own: str) -> dict[str, Callable[..., str]]:
        zone = self._zone

        def in_zone(write: Callable[[datetime, str, ZoneInfo], str]) -> Callable[..., str]:
            def written(value: datetime, lang: str = own) -> str:
                return write(value, lang, zone)

            return written

        def duration(value: timedelta | float, lang: str = own) -> str:
            return i18n.duration(value, lang)

        def number(value: float, lang: str = own) -> str:
            return i18n.number(value, lang)

        def share(value: float, lang: str = own) -> str:
            return i18n.share(value, lang)

        def date(value: str, lang: str = own) -> str:
            return i18n.date_only(value, lang)

        return {
            "share": share,
            "date": date,
            "duration": duration,
            "number": number,
            "clock": in_zone(i18n.clock),
            "day": in_zone(i18n.day),
            "moment": in_zone(i18n.moment),
            "iso": i18n.iso,
            "local": lambda value: i18n.local(value, zone),
            "said": lambda code, topic: self.say(topic, code, own),
            "left_out": lambda why: self._left_out(why, own),
        }

    def _left_out(self, why: str, lang: str) -> str:
        """Return why an agent was left out of a decision, as the end of a sentence."""
        code, _, detail = why.partition(":")
        if code in _DETAILS:
            detail = self.say(_DETAILS[code], detail, lang)
        return self.say("left_out", code, lang) % {"detail": detail}


PAGES = web.AppKey("PAGES", Pages)


def render(
    request: web.Request, template: str, *, status: int = 200, **context: Any
) -> web.Response:
    """Return the answer with a template in the reader's language."""
    lang = language_of(request)
    me = me_or_none(request)
    agent: Agent | None = me.agent if me else None
    given = {
        "me": agent,
        "csrf": me.csrf if me else "",
        "at": request.app[DEPS].clock.now(),
        "path": request.path,
        "version": request.app[DEPS].version,
        "demo": request.app[DEPS].settings.demo,
        "warnings": request.app[DEPS].readers.warnings(),
        **context,
    }
    body = request.app[PAGES].render(template, lang, given)
    return web.Response(text=body, content_type="text/html", status=status)


def back(request: web.Request, to: str) -> web.Response:
    """Return the redirect after a form was taken; htmx is told to go there by its own header."""
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Redirect": to})
    return web.Response(status=303, headers={"Location": to})


def is_fragment(request: web.Request) -> bool:
    """Say whether htmx asks for a part of a page."""
    return "HX-Request" in request.headers


__all__ = ["ME", "PAGES", "Pages", "back", "is_fragment", "render"]
