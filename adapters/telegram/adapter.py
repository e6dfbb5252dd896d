"""Telegram Bot API: one adapter is one bot."""

from dataclasses import dataclass, replace
from hmac import compare_digest

from adapters._common.answers import said
from adapters._common.calls import post_json, with_query
from adapters._common.fields import inside, word
from adapters.telegram.inbound import events_of
from adapters.telegram.outbound import calls_for, outcome_of
from adapters.telegram.settings import Settings
from adapters.telegram.wire import read_update
from router.channel.contract import (
    Accepted,
    Decoded,
    Elsewhere,
    HttpCall,
    Moment,
    Outbound,
    Outcome,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)
from router.domain.content import Media

_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105  the name of a header


@dataclass(frozen=True, slots=True)
class Telegram:
    """One bot."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the origin by the secret that ``setWebhook`` was given; nothing else is signed."""
        given = request.headers.get(_SECRET_HEADER, "")
        secret = self.settings.secret_token.encode()
        if not compare_digest(given.encode("utf-8", "replace"), secret):
            raise Unverified(f"{_SECRET_HEADER} does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: Telegram checks no address."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what the update says; a press of a button wants to be acknowledged by a call."""
        update = read_update(request.body)
        query = word(update.what, "id") if update.kind == "callback_query" else ""
        calls = (self._acknowledged(query),) if query else ()
        return Decoded(events=events_of(update, request.request.moment.now), calls=calls)

    def _acknowledged(self, query: str) -> HttpCall:
        """Return the call that ends the button's waiting sign."""
        url = f"{self.settings.api_base}/answerCallbackQuery"
        return post_json(url, {"callback_query_id": query}, note="answerCallbackQuery")

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, api_base=self.settings.api_base)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Put the bot's token into the address, where Telegram wants it."""
        base, bot = self.settings.api_base, f"bot{self.settings.bot_token}"
        path = call.url.removeprefix(base)
        if path == call.url:
            raise ValueError("only calls to Telegram are signed")
        if path.startswith("/file/"):
            return replace(call, url=f"{base}/file/{bot}/{path.removeprefix('/file/')}")
        return replace(call, url=f"{base}/{bot}{path}")

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the question where a file is; Telegram gives files of up to 20 MB."""
        if not media.ref:
            return None
        url = with_query(f"{self.settings.api_base}/getFile", file_id=media.ref)
        return HttpCall(method="GET", url=url, note="getFile")

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Return where the file is; the address needs the bot's token, so it has to be signed."""
        outcome = outcome_of(reply)
        if not isinstance(outcome, Accepted):
            return outcome
        path = word(inside(said(reply), "result"), "file_path")
        if not path:
            return outcome
        return Elsewhere(link=f"{self.settings.api_base}/file/{path}", signed=True)
