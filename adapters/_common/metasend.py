"""What we say on Messenger and Instagram, and what the answers mean.

https://developers.facebook.com/docs/messenger-platform/reference/send-api
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters._common.answers import said
from adapters._common.calls import post_json
from adapters._common.fields import word
from adapters._common.meta import Failure, Table, refusal
from adapters._common.metachat import OURS
from router.channel.contract import (
    Accepted,
    Audience,
    HttpCall,
    Outbound,
    Outcome,
    Reason,
    Reply,
    Speaker,
)
from router.channel.text import as_text, split
from router.domain.content import Content, Media, MediaKind, Menu

#: A reply handle: a public comment or post, which can be answered in public or, once, in private.
COMMENT, POST = "comment:", "post:"
KINDS = {
    MediaKind.IMAGE: "image",
    MediaKind.VOICE: "audio",
    MediaKind.VIDEO: "video",
    MediaKind.FILE: "file",
}
_MOST_CHOICES, _TITLE, _PAYLOAD = 13, 20, 1000

# The numbers below 10 are unverified; 2534022 is Instagram's.
TABLE = Table(
    busy=frozenset({32, 613, 1200, 80006}),
    reasons={Reason.RECIPIENT: frozenset({551})},
    windows=frozenset({(10, 2018278), (10, 2534022)}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """How one of the two channels sends.

    ``below`` is what a public answer is posted to below a comment; ``typed`` says whether a
    message names its type and carries our id; ``human_agent`` marks what a person writes as such,
    which Meta then takes for seven days.
    """

    root: str
    max_text: int
    measure: Callable[[str], int]
    media: frozenset[str]
    below: str
    typed: bool
    human_agent: bool = False

    def calls_for(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return the calls that say ``message``, in order, unsigned."""
        if message.audience is Audience.PUBLIC:
            return self._in_public(message)
        shapes = self._shapes(message.content)
        return tuple(
            post_json(
                f"{self.root}/me/messages", self._frame(message, shape, number), note="message"
            )
            for number, shape in enumerate(shapes)
        )

    def _in_public(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return comments below the one that is answered, or below its post."""
        handle = message.reply_handle
        below = f"{handle.removeprefix(COMMENT)}/{self.below}"
        if not handle.startswith(COMMENT):
            below = f"{handle.removeprefix(POST) or message.thread}/comments"
        parts = split(as_text(message.content), self.max_text, self.measure)
        return tuple(
            post_json(f"{self.root}/{below}", {"message": part}, note="comment") for part in parts
        )

    def _frame(self, message: Outbound, shape: dict[str, Any], number: int) -> dict[str, Any]:
        """Return a message with whom it is for; a comment's writer can be reached by it once."""
        recipient = {"id": message.recipient}
        for handle, name in ((COMMENT, "comment_id"), (POST, "post_id")):
            if message.reply_handle.startswith(handle) and number == 0:
                recipient = {name: message.reply_handle.removeprefix(handle)}
        tagged: dict[str, Any] = {}
        if self.human_agent and message.by is Speaker.AGENT and "id" in recipient:
            tagged = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        if not self.typed:
            return {"recipient": recipient, **tagged, "message": shape}
        marked = {**shape, "metadata": f"{OURS}{message.id}"}
        kind = tagged or {"messaging_type": "RESPONSE"}
        return {"recipient": recipient, **kind, "message": marked}

    def _shapes(self, content: Content) -> tuple[dict[str, Any], ...]:
        match content:
            case Media(kind=kind, ref=ref, link=link, caption=caption) if kind in self.media and (
                ref or link
            ):
                payload = {"attachment_id": ref} if ref else {"url": link, "is_reusable": False}
                return (
                    {"attachment": {"type": KINDS[kind], "payload": payload}},
                    *self._texts(caption),
                )
            case Menu() as menu if self._fits(menu):
                choices = [
                    {"content_type": "text", "title": option.label, "payload": option.id}
                    for option in menu.options
                ]
                return ({"text": menu.text, "quick_replies": choices},)
            case other:
                return self._texts(as_text(other))

    def _texts(self, text: str) -> tuple[dict[str, Any], ...]:
        return tuple({"text": part} for part in split(text, self.max_text, self.measure))

    def _fits(self, menu: Menu) -> bool:
        """Return whether choices can be shown as buttons; what cannot becomes numbered words."""
        return (
            0 < len(menu.options) <= _MOST_CHOICES
            and 0 < self.measure(menu.text) <= self.max_text
            and all(
                0 < len(option.label) <= _TITLE and 0 < len(option.id) <= _PAYLOAD
                for option in menu.options
            )
        )


def outcome_of(reply: Reply) -> Outcome:
    """Return what the answer to a message or a comment means."""
    failed = refusal(reply)
    if isinstance(failed, Failure):
        return TABLE.meaning(failed, reply)
    if failed is not None:
        return failed
    return Accepted(external_id=word(said(reply), "message_id", "id"))
