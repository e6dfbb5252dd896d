"""What a delivery of the Account Activity API says: arrays by the kind of event, in any number."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters._common.fields import inside, moment_of, word
from adapters.x.messages import message_of, read_of, typing_of
from adapters.x.posts import deleted_of, post_of
from router.channel.contract import Event, Followed, Following, Ignored

_FRAME = frozenset({"for_user_id", "users", "apps", "user_has_blocked"})


def events_of(fields: Mapping[str, Any], own: str) -> Iterator[Event]:
    """Yield what the delivery says, in the order of its arrays; ``own`` is whose account it is."""
    users = inside(fields, "users")
    blocked = fields.get("user_has_blocked") is True or word(fields, "user_has_blocked") == "true"
    for name, held in fields.items():
        if name in _FRAME:
            continue
        if not isinstance(held, list):
            yield Ignored(kind=".".join((name, *(held if isinstance(held, Mapping) else ()))))
            continue
        for event in held:
            yield from _events(name, event, users, own, blocked=blocked)


def _events(
    name: str, event: Any, users: Mapping[str, Any], own: str, *, blocked: bool
) -> Iterator[Event]:
    if not isinstance(event, Mapping):
        yield Ignored(kind=name)
        return
    match name:
        case "direct_message_events":
            yield from message_of(event, users, own)
        case "tweet_create_events":
            yield from post_of(event, own, blocked=blocked)
        case "tweet_delete_events":
            yield deleted_of(event, own)
        case "direct_message_indicate_typing_events":
            yield typing_of(event, own)
        case "direct_message_mark_read_events":
            yield read_of(event, own)
        case "follow_events" | "unfollow_events" | "block_events":
            yield _followed(event, name, own)
        case _:
            yield Ignored(kind=name)


_WHAT = {
    "follow": Following.FOLLOWED,
    "unfollow": Following.LEFT,
    "block": Following.BLOCKED,
}


def _followed(event: Mapping[str, Any], name: str, own: str) -> Event:
    """Return that somebody followed, left or blocked us; what we did ourselves is counted."""
    kind, person = word(event, "type"), word(inside(event, "source"), "id", "id_str")
    at = moment_of(word(event, "created_timestamp"))
    about_us = word(inside(event, "target"), "id", "id_str") == own != ""
    if kind not in _WHAT or not person or at is None or not about_us:
        return Ignored(kind=name)
    return Followed(
        external_id=f"{kind}:{person}:{int(at.timestamp() * 1000)}",
        sender=person,
        at=at,
        what=_WHAT[kind],
        sender_name=word(inside(event, "source"), "name", "screen_name"),
    )
