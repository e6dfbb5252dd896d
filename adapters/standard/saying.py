"""What a message holds, in the words of our generic webhook, both ways."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters._common.fields import inside, many, place_of, word
from adapters._common.rich import told
from router.channel.text import as_text
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

_WEB = ("https://", "http://")
_LONGEST_NUMBER = 15


def contents_of(data: Mapping[str, Any], kind: str) -> tuple[Content, ...]:
    """Return what was said: words, or files with the words under the first, or something else.

    Anything that is there and cannot be shown becomes `Unsupported` with its words.
    """
    text = word(data, "text")
    files = [_attachment(each) for each in many(data, "attachments")]
    media = [each for each in files if isinstance(each, Media)]
    lost = [each for each in files if not isinstance(each, Media)]
    others: list[Content] = [*_others(data), *lost]
    if media:
        return (*told(text, media), *others)
    words: tuple[Content, ...] = (Text(text=text),) if text else ()
    return (*words, *others) or (Unsupported(kind=kind),)


def _others(data: Mapping[str, Any]) -> Iterator[Content]:
    place, link, button = inside(data, "place"), inside(data, "link"), inside(data, "pressed")
    if place:
        yield place_of(
            word(place, "latitude"), word(place, "longitude"), word(place, "label", "address")
        )
    if link:
        yield Link(
            title=word(link, "title"),
            url=word(link, "url"),
            description=word(link, "description"),
            picture=word(link, "picture"),
        )
    if button:
        yield Pressed(payload=word(button, "payload"), label=word(button, "label"))


def _attachment(given: Any) -> Content:
    url, name, kind = word(given, "url"), word(given, "name"), word(given, "kind")
    words = " ".join(filter(None, (name, word(given, "caption"), word(given, "transcript"))))
    if not url.startswith(_WEB):
        return Unsupported(kind=kind or "attachment", text=words or url)
    size = word(given, "size")
    known = size.isascii() and size.isdigit() and len(size) <= _LONGEST_NUMBER
    return Media(
        kind=MediaKind(kind) if kind in set(MediaKind) else MediaKind.FILE,
        link=url,
        caption=word(given, "caption"),
        name=name,
        mime=word(given, "mime"),
        size=int(size) if known else 0,
        transcript=word(given, "transcript"),
    )


def shown(content: Content) -> dict[str, Any]:
    """Return what we say as the gateway is told it; ``text`` always says it in words as well."""
    said: dict[str, Any] = {"text": as_text(content)}
    match content:
        case Media(ref=ref, link=link) if ref or link:
            file = {"id": ref, "url": link, "name": content.name, "mime": content.mime}
            known = {key: value for key, value in file.items() if value}
            said = {
                "text": content.caption,
                "attachments": [{"kind": content.kind.value, **known}],
            }
        case Place(latitude=latitude, longitude=longitude, label=label):
            said["place"] = {"latitude": latitude, "longitude": longitude, "label": label}
        case Link(title=title, url=url, description=description, picture=picture):
            said["link"] = {
                "title": title,
                "url": url,
                "description": description,
                "picture": picture,
            }
        case Menu(text=text, options=options):
            said["text"] = text
            said["menu"] = [{"id": each.id, "label": each.label} for each in options]
        case _:
            pass
    return said
