"""Rasa's REST channel: POST {url}/webhooks/rest/webhook, a list of messages comes back.

A request is ``{"sender", "message"}``; each message of the answer may have ``text``, ``buttons`` of
``title`` and ``payload``, ``image``, and ``custom``, which is the assistant's own
(https://legacy-docs-oss.rasa.com/docs/rasa/connectors/your-own-website, read on 2026-11-21).
``custom: {"hand_over": true}`` is our agreement for giving the customer to a person.
"""

from dataclasses import dataclass

import aiohttp
import msgspec

from router.bots.calls import dump, post, read
from router.domain.content import Option
from router.service.botport import Asked, BotSpec, Told


class _Button(msgspec.Struct):
    title: str
    payload: str = ""


class _Message(msgspec.Struct):
    text: str | None = None
    buttons: list[_Button] = []
    image: str | None = None
    custom: dict[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rasa:
    """Fulfils `router.service.botport.Bot` with a Rasa assistant."""

    spec: BotSpec
    session: aiohttp.ClientSession

    async def answer(self, asked: Asked) -> Told:
        """Pass the contact's word on, with the conversation as the sender; raises BotFailed."""
        body = dump({"sender": asked.conversation, "message": asked.payload or asked.text})
        url = f"{self.spec.url.rstrip('/')}/webhooks/rest/webhook"
        headers = {"authorization": f"Bearer {self.spec.secret}"} if self.spec.secret else {}
        messages = read(await post(self.session, url, body, headers), list[_Message])
        words = [part for each in messages for part in (each.text, each.image) if part]
        buttons = [button for each in messages for button in each.buttons]
        return Told(
            text="\n".join(words),
            options=tuple(
                Option(id=each.payload or each.title, label=each.title) for each in buttons
            ),
            hand_over=any((each.custom or {}).get("hand_over") is True for each in messages),
        )
