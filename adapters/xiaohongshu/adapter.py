"""Xiaohongshu: one adapter is a shop's application with its mini program."""

from dataclasses import dataclass

from adapters._common.jsonin import read_json, read_object
from adapters.xiaohongshu.inbound import news_of, pushed
from adapters.xiaohongshu.proof import Way, proven
from adapters.xiaohongshu.settings import Settings
from router.channel.contract import (
    Decoded,
    HttpCall,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
)

#: The shape of the answer is unverified.
_ANSWER = Response(
    body=b'{"success":true,"error_code":0,"error_msg":""}', content_type="application/json"
)
_DONE = Response(body=b"success")


@dataclass(frozen=True, slots=True)
class Xiaohongshu:
    """One shop's application, its mini program, or both."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        return proven(request, self.settings)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of a mini program's address with its ``echostr``."""
        if request.proof is not Way.CHECK:
            return None
        return Response(body=request.request.one("echostr").encode("utf-8", "replace"))

    def decode(self, request: Trusted) -> Decoded:
        """Return the news of a shop's list, or what a mini program's push says."""
        now = request.request.moment.now
        if request.proof is Way.PROGRAM:
            return Decoded(events=(pushed(read_object(request.body), now),), response=_DONE)
        items = read_json(request.body)
        if not isinstance(items, list):
            raise Malformed("expected a list of news", answer=_ANSWER)
        seller = self.settings.seller_id
        events = tuple(news_of(each, seller=seller, now=now) for each in items)
        return Decoded(events=events, response=_ANSWER)

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: private messages are open to contracted vendors only."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.ACCOUNT, why="Xiaohongshu has no public API for replies")
