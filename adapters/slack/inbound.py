"""What an event of Slack says, in our words. A message is named by its channel and its time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters._common.fields import inside, many, word
from adapters._common.wordin import leaves
from adapters.slack.markup import plain
from adapters.slack.wire import Envelope, stamp
from router.channel.contract import (
    Audience,
    Edited,
    Event,
    Ignored,
    Malformed,
    Recalled,
    Received,
)
from router.domain.content import Content, Media, MediaKind, Text, Unsupported

#: Messages that somebody said; ``app_mention`` is the same message once more.
_SAID = frozenset({"", "file_share", "thread_broadcast", "me_message"})
#: What Slack itself writes into a channel.
_SERVICE = re.compile(
    r"(channel|group)_\w+|(un)?pinned_item|reminder_add|huddle_thread|tombstone|message_replied"
    r"|ekm_access_denied|file_comment|file_mention|assistant_app_thread|sh_room_\w+|bot_(add|remove)"
)
_KINDS = {"image": MediaKind.IMAGE, "audio": MediaKind.VOICE, "video": MediaKind.VIDEO}


def events_of(envelope: Envelope) -> Iterator[Event]:
    """Yield what the event says."""
    event = envelope.event
    kind, subtype = word(event, "type"), word(event, "subtype")
    match kind, subtype:
        case "message", "message_changed":
            yield _changed(envelope)
        case "message", "message_deleted":
            yield from _deleted(envelope)
        case "message" | "app_mention", _ if _is_bots(event, envelope):
            yield Ignored(kind="message.echo" if _is_ours(event, envelope) else "message.bot")
        case "message" | "app_mention", _ if not _SERVICE.fullmatch(subtype):
            yield from _messages(envelope)
        case "reaction_added", _ if _is_on_ours(event, envelope):
            yield _reaction(envelope)
        case _:
            yield Ignored(kind=f"{kind}.{subtype}" if subtype else kind)


def sender_of(envelope: Envelope, user: str) -> str:
    """Return how a person is named: an id of a user is safe only with that of the workspace."""
    if not user:
        raise Malformed("a message without user")
    return f"{envelope.team}:{user}"


def _is_bots(event: Mapping[str, Any], envelope: Envelope) -> bool:
    by_bot = word(event, "bot_id") or word(event, "subtype") == "bot_message"
    return bool(by_bot) or word(event, "user") in envelope.ours


def _is_ours(event: Mapping[str, Any], envelope: Envelope) -> bool:
    return word(event, "user") in envelope.ours or word(event, "app_id") == envelope.app != ""


def _is_on_ours(event: Mapping[str, Any], envelope: Envelope) -> bool:
    """Return whether a person put an emoji under a message of ours."""
    return word(event, "item_user") in envelope.ours and word(event, "user") not in envelope.ours


def _key(channel: str, ts: str) -> str:
    if not (channel and ts):
        raise Malformed("a message without channel or ts")
    return f"{channel}:{ts}"


# ----- messages ----------------------------------------------------------------------------------


def _messages(envelope: Envelope) -> Iterator[Received]:
    """Yield the message, and each further file of it on its own."""
    event = envelope.event
    channel, ts = word(event, "channel"), word(event, "ts")
    key = _key(channel, ts)
    private = word(event, "channel_type") == "im" or channel.startswith("D")
    root = word(event, "thread_ts")
    first = Received(
        external_id=key,
        sender=sender_of(envelope, word(event, "user")),
        at=stamp(ts, "ts"),
        content=Text(text=""),
        audience=Audience.PRIVATE if private else Audience.PUBLIC,
        thread="" if private else f"{channel}:{root or ts}",
        reply_handle=(f"{channel}:{root}" if root else channel) if private else "",
        reply_to=f"{channel}:{root}" if root and root != ts else "",
    )
    for number, content in enumerate(_contents(event)):
        external_id = f"{key}:{number}" if number else key
        yield replace(first, external_id=external_id, content=content)


def _contents(message: Mapping[str, Any]) -> tuple[Content, ...]:
    """Return the words, or one content for each file with the words under the first."""
    words = _words(message)
    files = [_file(each) for each in many(message, "files") if isinstance(each, dict)]
    if files:
        first = files[0]
        with_words = (
            replace(first, caption=words)
            if isinstance(first, Media)
            else Unsupported(kind=first.kind, text=f"{first.text} {words}".strip())
        )
        return (with_words, *files[1:])
    subtype = word(message, "subtype")
    if words and subtype in _SAID:
        return (Text(text=words),)
    blocks = [plain(each) for each in _in_blocks(message.get("blocks"))]
    kind = subtype or ("blocks" if blocks else "message")
    return (Unsupported(kind=kind, text=words or "\n".join(blocks)),)


def _words(message: Mapping[str, Any]) -> str:
    """Return the words, with those of messages that are passed on."""
    shared = (
        plain(word(each, "text", "fallback"))
        for each in many(message, "attachments")
        if isinstance(each, dict) and (each.get("is_share") or each.get("is_msg_unfurl"))
    )
    return "\n".join(part for part in (plain(word(message, "text")), *shared) if part)


def _in_blocks(value: Any) -> Iterator[str]:
    """Yield every text in blocks, whatever they are."""
    match value:
        case Mapping():
            text = value.get("text")
            if isinstance(text, str):
                yield from leaves(text)
            for name, held in value.items():
                if name != "text" or not isinstance(held, str):
                    yield from _in_blocks(held)
        case list():
            for held in value:
                yield from _in_blocks(held)


def _file(file: Mapping[str, Any]) -> Media | Unsupported:
    """Return a file; one that Slack does not show us (deleted, another workspace's) is said."""
    name, address = word(file, "name", "title"), word(file, "url_private_download", "url_private")
    if not address:
        return Unsupported(kind=f"file.{word(file, 'mode') or 'hidden'}", text=name)
    size, mime = word(file, "size"), word(file, "mimetype")
    elsewhere = file.get("is_external") is True
    return Media(
        kind=_KINDS.get(mime.partition("/")[0], MediaKind.FILE),
        ref="" if elsewhere else address,
        link=address if elsewhere else "",
        name=name,
        mime=mime,
        size=int(size) if size.isascii() and size.isdigit() and len(size) < len("1" * 16) else 0,
    )


# ----- changes -----------------------------------------------------------------------------------


def _changed(envelope: Envelope) -> Event:
    """Return an edit; Slack also says so when it only unfolds a link or counts answers."""
    event = envelope.event
    now, before = inside(event, "message"), inside(event, "previous_message")
    if _is_bots(now, envelope):
        return Ignored(kind="message_changed.bot")
    if not inside(now, "edited") or _words(now) == _words(before):
        return Ignored(kind="message_changed.without_words")
    return Edited(
        external_id=envelope.event_id,
        target=_key(word(event, "channel"), word(now, "ts")),
        sender=sender_of(envelope, word(now, "user")),
        at=stamp(word(inside(now, "edited"), "ts") or word(event, "ts"), "edited.ts"),
        content=_contents(now)[0],
    )


def _deleted(envelope: Envelope) -> Iterator[Event]:
    """Yield a recall of the message, and of each further file that stood on its own."""
    event = envelope.event
    before = inside(event, "previous_message")
    if _is_bots(before, envelope):
        yield Ignored(kind="message_deleted.bot")
        return
    target = _key(word(event, "channel"), word(event, "deleted_ts"))
    for number in range(max(len(many(before, "files")), 1)):
        tail = f":{number}" if number else ""
        yield Recalled(
            external_id=f"{envelope.event_id}{tail}",
            target=f"{target}{tail}",
            sender=sender_of(envelope, word(before, "user")),
            at=stamp(word(event, "ts", "event_ts"), "ts"),
        )


def _reaction(envelope: Envelope) -> Received:
    """Return the emoji that a person put under a message of ours, by its name."""
    event = envelope.event
    item = inside(event, "item")
    channel = word(item, "channel")
    private = channel.startswith("D")
    target = _key(channel, word(item, "ts"))
    return Received(
        external_id=envelope.event_id,
        sender=sender_of(envelope, word(event, "user")),
        at=stamp(word(event, "event_ts"), "event_ts"),
        content=Unsupported(kind="reaction", text=f":{word(event, 'reaction')}:"),
        audience=Audience.PRIVATE if private else Audience.PUBLIC,
        thread="" if private else target,
        reply_handle=channel if private else "",
        reply_to=target,
    )
