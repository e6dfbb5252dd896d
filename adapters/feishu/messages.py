"""The content of a message of Feishu, a JSON text whose shape depends on its type.

https://open.feishu.cn/document/server-docs/im-v1/message-content-description/message_content
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters._common.fields import inside, many, place_of, word
from adapters._common.rich import told
from adapters._common.wordin import leaves
from router.domain.content import Content, Media, MediaKind, Text, Unsupported

_FILES = {"audio": MediaKind.VOICE, "media": MediaKind.VIDEO, "file": MediaKind.FILE}


def contents_of(message: Mapping[str, Any]) -> tuple[Content, ...]:
    """Return what ``message`` holds: one content, or several for a post with several pictures."""
    kind, content = word(message, "message_type"), inside(message, "content")
    where = word(message, "message_id")
    match kind:
        case "text" if "text" in content:
            return (Text(text=_named(word(content, "text"), message)),)
        case "post":
            return _post(content, message)
        case "image" if word(content, "image_key"):
            return (_file(MediaKind.IMAGE, where, word(content, "image_key")),)
        case "audio" | "media" | "file" if word(content, "file_key"):
            name = word(content, "file_name")
            return (_file(_FILES[kind], where, word(content, "file_key"), name),)
        case "location":
            label = word(content, "name")
            return (place_of(word(content, "latitude"), word(content, "longitude"), label),)
        case _:
            raw = message.get("content")
            words = leaves(content) if content else leaves(raw)
            return (Unsupported(kind=kind or "message", text="\n".join(words)),)


def _file(kind: MediaKind, message: str, key: str, name: str = "") -> Media:
    """Return a file; to fetch it, Feishu wants the message as well as the key."""
    return Media(kind=kind, ref=f"{message}/{key}", name=name)


def _named(text: str, message: Mapping[str, Any]) -> str:
    """Return ``text`` with the placeholders of mentions (@_user_1) replaced by names."""
    mentions = [each for each in many(message, "mentions") if word(each, "key")]
    for each in sorted(mentions, key=lambda mention: len(word(mention, "key")), reverse=True):
        text = text.replace(word(each, "key"), f"@{word(each, 'name')}")
    return text


# ----- posts -------------------------------------------------------------------------------------


def _post(content: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[Content, ...]:
    """Return a post's words, with its pictures and films; it may be wrapped in a language."""
    languages = (each for each in content.values() if isinstance(each, Mapping))
    post = content if "content" in content else next(languages, content)
    lines = [line for line in many(post, "content") if isinstance(line, list)]
    words = [word(post, "title"), *("".join(_words(line)) for line in lines)]
    where = word(message, "message_id")
    files = [file for line in lines for each in line for file in _files(each, where)]
    said = _named("\n".join(each for each in words if each.strip()), message)
    if not (said or files):
        return (Unsupported(kind="post", text="\n".join(leaves(content))),)
    return told(said, files)


def _words(line: list[Any]) -> Iterator[str]:
    for each in line:
        match word(each, "tag"):
            case "a":
                yield _linked(word(each, "text"), word(each, "href"))
            case "at":
                yield f"@{word(each, 'user_name', 'user_id')}"
            case "emotion":
                yield f"[{word(each, 'emoji_type')}]"
            case "img" | "media" | "hr":
                continue
            case "text" | "md" | "code_block":
                yield word(each, "text")
            case tag:
                yield " ".join(found for found in leaves(each) if found != tag)


def _linked(text: str, href: str) -> str:
    return f"{text} ({href})" if text and href and text != href else text or href


def _files(element: Any, message: str) -> Iterator[Media]:
    match word(element, "tag"):
        case "img" if word(element, "image_key"):
            yield _file(MediaKind.IMAGE, message, word(element, "image_key"))
        case "media" if word(element, "file_key"):
            yield _file(MediaKind.VIDEO, message, word(element, "file_key"))
