"""A bot of the shop's own: a signed call, after the Standard Webhooks specification.

``webhook-id`` is the question's id and the same if a turn is asked again; ``webhook-signature`` is
``v1,`` and base64 of HMAC-SHA256 over ``id.timestamp.body``, with the secret's bytes after
``whsec_`` decoded from base64 (https://www.standardwebhooks.com, version 1.0.0). The request and
the reply are described in docs/BOTS.md.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

import aiohttp
import msgspec

from router.bots.calls import dump, post, read
from router.domain.content import Option
from router.service.botport import Asked, BotSpec, Told

PREFIX = "whsec_"


class _Choice(msgspec.Struct):
    id: str
    label: str


class _Reply(msgspec.Struct):
    text: str = ""
    options: list[_Choice] = []
    articles: list[str] = []
    hand_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Fulfils `router.service.botport.Bot` with the shop's own service."""

    spec: BotSpec
    session: aiohttp.ClientSession

    async def answer(self, asked: Asked) -> Told:
        """Ask the shop's service; raises BotFailed."""
        body = dump(_request(asked))
        stamp = str(int(asked.at.timestamp()))
        headers = {
            "webhook-id": asked.question,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self.spec.secret, asked.question, stamp, body),
        }
        reply = read(await post(self.session, self.spec.url, body, headers), _Reply)
        return Told(
            text=reply.text,
            articles=tuple(reply.articles),
            options=tuple(Option(id=each.id, label=each.label) for each in reply.options),
            hand_over=reply.hand_over,
        )


def signature(secret: str, name: str, stamp: str, body: bytes) -> str:
    """Return the signature of a call; ``secret`` is ``whsec_`` and base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((name.encode(), stamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def _request(asked: Asked) -> dict[str, object]:
    return {
        "type": "bot.turn",
        "timestamp": asked.at.isoformat(),
        "data": {
            "conversation": asked.conversation,
            "question": asked.question,
            "channel": asked.channel,
            "account": asked.account,
            "language": asked.language,
            "text": asked.text,
            "payload": asked.payload,
            "turn": asked.turns + 1,
            "said": [
                {"by": line.by, "text": line.text, "at": line.at.isoformat()} for line in asked.said
            ],
            "articles": [
                {"id": each.article, "question": each.question, "confidence": each.confidence}
                for each in asked.candidates
            ],
        },
    }
