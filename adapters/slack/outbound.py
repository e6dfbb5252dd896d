"""What we say on Slack, and what its answers mean.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json
from adapters._common.fields import inside, many, word
from adapters.slack.markup import escaped
from adapters.slack.settings import CAPABILITIES
from router.channel.contract import (
    Accepted,
    Audience,
    Deferred,
    HttpCall,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    TokenExpired,
)
from router.channel.text import as_text, split
from router.domain.content import Link, Media, MediaKind, Menu

_MOST_BUTTONS, _LABEL, _VALUE, _SECTION, _ALT = 25, 75, 2000, 3000, 2000
_WEB = ("https://", "http://")
_OK = 200
_BUSY = frozenset(
    {
        *("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"),
        *("request_timeout", "team_added_to_org", "message_limit_exceeded"),
    }
)
#: Errors after which, as Slack says, a part of what was asked may have been done.
_PERHAPS = frozenset({"internal_error", "fatal_error", "request_timeout"})
_REASONS: Mapping[Reason, frozenset[str]] = {
    Reason.CREDENTIALS: frozenset(
        {"invalid_auth", "token_revoked", "account_inactive", "not_authed", "bad_token"}
    ),
    Reason.RECIPIENT: frozenset(
        {
            *(
                "channel_not_found",
                "not_in_channel",
                "is_archived",
                "user_not_found",
                "is_inactive",
            ),
            *("messages_tab_disabled", "cannot_dm_bot", "user_disabled", "thread_not_found"),
        }
    ),
    Reason.CONTENT: frozenset(
        {
            *("msg_too_long", "no_text", "invalid_blocks", "invalid_blocks_format"),
            *("too_many_attachments", "msg_blocks_too_long", "invalid_arguments"),
        }
    ),
    Reason.ACCOUNT: frozenset(
        {
            *("missing_scope", "access_denied", "accesslimited", "ekm_access_denied"),
            *("restricted_action", "no_permission", "org_login_required", "not_allowed_token_type"),
            *("team_access_not_granted", "enterprise_is_restricted", "two_factor_setup_required"),
        }
    ),
}


def calls_for(message: Outbound, *, api_base: str) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``, in order, unsigned."""
    where = _where(message)
    return tuple(
        post_json(f"{api_base}/chat.postMessage", {**where, **shape}, note="chat.postMessage")
        for shape in _shapes(message)
    )


def _where(message: Outbound) -> dict[str, str]:
    """Return the channel and thread of a public talk, the private channel, or the person."""
    if message.thread and message.audience is Audience.PUBLIC:
        channel, _, root = message.thread.partition(":")
    elif message.reply_handle.startswith("D"):
        channel, _, root = message.reply_handle.partition(":")
    else:
        channel, root = message.recipient.rpartition(":")[2], ""
    return {"channel": channel, "thread_ts": root} if root else {"channel": channel}


def _shapes(message: Outbound) -> tuple[dict[str, Any], ...]:
    match message.content:
        case Media(kind=MediaKind.IMAGE, link=link, name=name, caption=caption) if link.startswith(
            _WEB
        ):
            alt = (name or caption or "picture")[:_ALT]
            picture = {"type": "image", "image_url": link, "alt_text": alt}
            return ({"text": escaped(alt), "blocks": [picture]}, *_texts(caption))
        case Menu() as menu if _fits(menu):
            return ({"text": escaped(as_text(menu)), "blocks": _menu(menu)},)
        case Link() as link_ if len(_linked(link_)) <= CAPABILITIES.max_text:
            return ({"text": _linked(link_)},)
        case other:
            return _texts(as_text(other))


def _linked(link: Link) -> str:
    """Return a link that shows its title, or the address alone where it has none."""
    title, url = escaped(link.title).replace("|", "¦"), escaped(link.url)
    head = f"<{url}|{title}>" if title and url.startswith(_WEB) else f"{title} {url}".strip()
    return "\n".join(part for part in (head, escaped(link.description)) if part)


def _texts(text: str) -> tuple[dict[str, Any], ...]:
    """Return the parts, measured as they are written: no escape is torn in two."""
    parts = split(text, CAPABILITIES.max_text, lambda part: len(escaped(part)))
    return tuple({"text": escaped(part)} for part in parts)


def _fits(menu: Menu) -> bool:
    """Return whether the choices can be shown as buttons; what cannot becomes numbered words."""
    return (
        0 < len(menu.options) <= _MOST_BUTTONS
        and 0 < len(escaped(menu.text)) <= _SECTION
        and all(
            0 < len(option.label) <= _LABEL and 0 < len(option.id) <= _VALUE
            for option in menu.options
        )
    )


def _menu(menu: Menu) -> list[dict[str, Any]]:
    buttons = [
        {
            "type": "button",
            "action_id": f"option_{number}",
            "text": {"type": "plain_text", "text": option.label},
            "value": option.id,
        }
        for number, option in enumerate(menu.options, 1)
    ]
    asked = {"type": "section", "text": {"type": "mrkdwn", "text": escaped(menu.text)}}
    return [asked, {"type": "actions", "elements": buttons}]


# ----- answers -----------------------------------------------------------------------------------


def outcome_of(reply: Reply) -> Outcome:
    """Return what Slack's answer means. HTTP 200 means nothing; ``ok`` does."""
    answer = said(reply)
    if answer.get("ok") is True:
        channel, ts = word(answer, "channel"), word(answer, "ts")
        return Accepted(external_id=f"{channel}:{ts}" if channel and ts else "")
    trouble = in_trouble(reply)
    error = word(answer, "error")
    if trouble is not None:
        return replace(trouble, why=error) if error else trouble
    if not error:
        return _without_error(reply)
    if error in _BUSY:
        return Deferred(why=error, unsure=error in _PERHAPS)
    if error == "token_expired":
        return TokenExpired(why=error)
    reason = next((reason for reason, names in _REASONS.items() if error in names), Reason.UNKNOWN)
    details = "; ".join(
        each
        for each in many(inside(answer, "response_metadata"), "messages")
        if isinstance(each, str)
    )
    return Refused(reason=reason, why=f"{error}: {details}" if details else error, code=error)


def _without_error(reply: Reply) -> Deferred | Refused:
    if reply.status == _OK:
        return Deferred(why="the answer is not Slack's", unsure=True)
    return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))
