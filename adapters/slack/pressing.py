"""What presses of buttons, choices and slash commands of Slack say, in our words."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, many, word
from adapters._common.wordin import leaves
from adapters.slack.markup import plain
from adapters.slack.wire import stamp
from router.channel.contract import Audience, Event, Ignored, Malformed, Received
from router.domain.content import Pressed, Text

_CHOSEN = ("value", "selected_date", "selected_time", "selected_date_time", "selected_user")


def pressed(payload: Mapping[str, Any]) -> Iterator[Event]:
    """Yield one press for each action; other interactions are only counted."""
    if word(payload, "type") != "block_actions":
        yield Ignored(kind=f"interaction.{word(payload, 'type') or 'unnamed'}")
        return
    team, user = word(inside(payload, "team"), "id"), word(inside(payload, "user"), "id")
    if not (team and user):
        raise Malformed("a press without team.id or user.id")
    for action in many(payload, "actions"):
        yield _press(payload, action, f"{team}:{user}")


def _press(payload: Mapping[str, Any], action: Any, sender: str) -> Received:
    held = inside(payload, "container")
    channel = word(inside(payload, "channel"), "id") or word(held, "channel_id")
    root = word(held, "thread_ts")
    asked = word(held, "message_ts") or word(inside(payload, "message"), "ts")
    at = word(action, "action_ts")
    private = not channel or channel.startswith("D")
    chosen = inside(action, "selected_option")
    label = word(inside(chosen or action, "text"), "text")
    return Received(
        external_id=f"press:{sender}:{at}:{word(action, 'action_id')}",
        sender=sender,
        at=stamp(at, "action_ts"),
        content=Pressed(
            payload=word(chosen, "value") or word(action, *_CHOSEN) or word(action, "action_id"),
            label=plain(label),
        ),
        audience=Audience.PRIVATE if private else Audience.PUBLIC,
        thread="" if private else f"{channel}:{root or asked}",
        reply_handle=(f"{channel}:{root}" if root else channel) if private else "",
        reply_to=f"{channel}:{asked}" if channel and asked else "",
    )


def commanded(form: Mapping[str, Any], now: datetime) -> Event:
    """Return a slash command as words; Slack gives no time for it, and only its writer saw it."""
    if "command" not in form:
        kind = "ssl_check" if "ssl_check" in form else "form"
        return Ignored(kind=kind)
    team, user, trigger = (word(form, name) for name in ("team_id", "user_id", "trigger_id"))
    if not (team and user and trigger):
        raise Malformed("a command without team_id, user_id or trigger_id")
    said = " ".join(leaves([word(form, "command"), word(form, "text")]))
    return Received(
        external_id=f"command:{trigger}",
        sender=f"{team}:{user}",
        at=now,
        content=Text(text=plain(said)),
        sender_name=word(form, "user_name"),
    )
