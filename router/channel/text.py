"""Text for channels: split to a limit without losing a character, and degrade rich content."""

import unicodedata
from collections.abc import Callable

from router.domain.content import (
    Content,
    Link,
    Media,
    MediaKind,
    Menu,
    Place,
    Pressed,
    Text,
    Unsupported,
)

_BREAKS = ("\n", "。", "！", "？", ". ", "! ", "? ", "；", "; ", "，", ", ", " ")
_JOINERS = frozenset({"\u200d", "\ufe0f", "\ufe0e"})
_NAMES = {
    MediaKind.IMAGE: "图片/picture",
    MediaKind.VOICE: "语音/recording",
    MediaKind.VIDEO: "视频/video",
    MediaKind.FILE: "文件/file",
}


def characters(text: str) -> int:
    """Return the length of ``text`` in characters (Unicode code points)."""
    return len(text)


def utf8_bytes(text: str) -> int:
    """Return the length of ``text`` in UTF-8 bytes."""
    return len(text.encode("utf-8", "replace"))


def split(text: str, limit: int, measure: Callable[[str], int] = characters) -> tuple[str, ...]:
    """Cut ``text`` into parts of at most ``limit``, at the end of a sentence where one is near.

    Joining the parts gives the text back; no emoji sequence or combining mark is torn apart unless
    it alone exceeds the limit. An empty text gives no part.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    parts: list[str] = []
    rest = text
    while rest:
        if measure(rest) <= limit:
            parts.append(rest)
            break
        cut = _cut(rest, _longest(rest, limit, measure))
        parts.append(rest[:cut])
        rest = rest[cut:]
    return tuple(parts)


def _longest(text: str, limit: int, measure: Callable[[str], int]) -> int:
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(text: str, most: int) -> int:
    for mark in _BREAKS:
        at = text.rfind(mark, most // 2, most)
        if at >= 0 and at + len(mark) <= most:
            return at + len(mark)
    cut = most
    while cut > 1 and _inside(text, cut):
        cut -= 1
    return cut if cut > 1 or not _inside(text, 1) else most


def _inside(text: str, at: int) -> bool:
    """Return whether a cut at ``at`` would tear one visible character apart."""
    after, before = text[at], text[at - 1]
    flag = "\U0001f1e6" <= after <= "\U0001f1ff" and "\U0001f1e6" <= before <= "\U0001f1ff"
    return (
        after in _JOINERS
        or before == "\u200d"
        or unicodedata.combining(after) != 0
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or flag
    )


def as_text(content: Content) -> str:  # noqa: PLR0911  one arm for each kind of content
    """Return ``content`` as words, for a channel that cannot show it; nothing is dropped."""
    match content:
        case Text(text=text):
            return text
        case Media(kind=kind, link=link, caption=caption, name=name, transcript=transcript):
            head = f"[{_NAMES[kind]}{' ' + name if name else ''}]"
            return " ".join(part for part in (head, caption, transcript, link) if part)
        case Place(latitude=latitude, longitude=longitude, label=label):
            where = f"{label} ({latitude}, {longitude})" if label else f"{latitude}, {longitude}"
            return f"[位置/place] {where}"
        case Link(title=title, url=url, description=description):
            return "\n".join(part for part in (title, description, url) if part)
        case Pressed(label=label, payload=payload):
            return label or payload
        case Menu(text=text, options=options):
            lines = (f"{number}. {option.label}" for number, option in enumerate(options, 1))
            return "\n".join((text, *lines))
        case Unsupported(kind=kind, text=text):
            return f"[{kind}] {text}" if text else f"[{kind}]"
