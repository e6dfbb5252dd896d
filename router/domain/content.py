"""What an interaction says: words, media, a place, a press of a button; plain values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class MediaKind(StrEnum):
    """What a media file is shown as."""

    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words, as they were written or transcribed."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture, a recording, a film or a file.

    ``ref`` is the platform's id for fetching it, ``link`` an address that anybody can open;
    at least one is set. ``stored`` is our own copy once fetched. ``transcript`` holds words that
    the platform recognised in a recording.
    """

    kind: MediaKind
    ref: str = ""
    link: str = ""
    caption: str = ""
    name: str = ""
    mime: str = ""
    size: int = 0
    transcript: str = ""
    stored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in degrees (WGS 84 unless the channel's page says otherwise)."""

    latitude: float
    longitude: float
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A shared page, product card or mini-program card."""

    title: str
    url: str
    description: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A press of a menu entry or button; ``payload`` is what we or the shop gave it."""

    payload: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One entry of a menu that we send."""

    id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A question with a few answers to press. Channels without buttons show it as numbered text."""

    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """Something that was said and that we cannot show; ``kind`` is the platform's word for it.

    ``text`` keeps whatever words it carried, so that no customer's words are dropped.
    """

    kind: str
    text: str = ""


Content: TypeAlias = Text | Media | Place | Link | Pressed | Menu | Unsupported


def plain_text(content: Content) -> str:
    """Return the words in ``content``: what a reader reads and a search finds. May be empty."""
    match content:
        case Text(text=text) | Unsupported(text=text):
            return text
        case Media(caption=caption, transcript=transcript):
            return " ".join(part for part in (caption, transcript) if part)
        case Place(label=label):
            return label
        case Link(title=title, description=description):
            return " ".join(part for part in (title, description) if part)
        case Pressed(label=label, payload=payload):
            return label or payload
        case Menu(text=text, options=options):
            return "\n".join((text, *(option.label for option in options)))
