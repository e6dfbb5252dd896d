"""What the customers say and the colleagues answer: ``data/customers.toml``, read and checked."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

DATA = Path(__file__).parent / "data"

Heard = Literal["wechat", "weibo", "webchat", "phone", "twilio"]
Seconds = Annotated[float, Meta(ge=0)]
Severity = Annotated[int, Meta(ge=0, le=3)]


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that comes: words, a picture (with or without words), or a recall.

    ``by`` is whose turn it is in a call.
    """

    text: str = ""
    image: str = ""
    recall: bool = False
    by: Literal["customer", "agent"] = "customer"


class Customer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invented person on one channel, who comes ``at`` seconds after the beginning.

    ``number`` is a phone number in E.164, ``member`` the shop's id of a signed-in visitor.
    """

    key: str
    name: str
    channel: Heard
    at: Seconds
    says: Annotated[tuple[Said, ...], Meta(min_length=1)]
    number: str = ""
    member: str = ""
    severity: Severity = 0


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody new says, on one of ``channels``; and ``then``, when no person has answered."""

    channels: Annotated[tuple[Heard, ...], Meta(min_length=1)]
    text: str
    then: str = ""
    severity: Severity = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent answers where one of ``words`` occurs; without words, in language ``lang``."""

    text: str
    words: tuple[str, ...] = ()
    lang: Literal["zh", "en", ""] = ""


class Scripts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is played."""

    customer: tuple[Customer, ...]
    line: Annotated[tuple[Line, ...], Meta(min_length=1)]
    answer: Annotated[tuple[Answer, ...], Meta(min_length=1)]
    thanks: dict[Literal["zh", "en"], tuple[str, ...]]

    def answer_to(self, words: str, *, language: str) -> str:
        """Return what an agent says to ``words``."""
        for each in self.answer:
            known = any(word in words for word in each.words)
            if known or (not each.words and each.lang in ("", language)):
                return each.text
        return self.answer[-1].text


def read_scripts(path: Path = DATA / "customers.toml") -> Scripts:
    """Return the scripts; a file that does not fit is a defect and raises ValidationError."""
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scripts)


def language_of(text: str) -> Literal["zh", "en"]:
    """Return which of the two languages an invented sentence is in."""
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in text) else "en"
