"""Weibo fans service: one adapter is one Weibo account.

https://open.weibo.com/wiki/Error_code
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from adapters._common.answers import in_trouble, said
from adapters._common.wecrypt import check_sorted_sha1
from adapters.weibo.inbound import event_of
from adapters.weibo.settings import CAPABILITIES, Settings
from adapters.weibo.wire import read_push
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
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
from router.channel.text import as_text, split
from router.domain.content import Link, Media, Place

_FORM = (("content-type", "application/x-www-form-urlencoded"),)
_OK = 200
# The numbers are unverified for this interface; they are those of the platform's general table.
_BUSY = frozenset({"10001", "10002", "10003", "10009", "10010", "10011", "10022", "10023", "10024"})
_TOKEN = frozenset({"10006", "21314", "21315", "21316", "21317", "21319", "21327", "21332"})
_ACCOUNT = frozenset({"10004", "10005", "10014", "21321", "21335"})
_RECIPIENT = frozenset({"10013", "20003"})
_CONTENT = re.compile(r"20[0-9]{3}|100(?:08|16|17|18)")


@dataclass(frozen=True, slots=True)
class Weibo:
    """One Weibo account with fans service."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the origin by WeChat's rule, with the app secret in place of the token."""
        check_sorted_sha1(request, "signature", self.settings.app_secret)
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of the address with its ``echostr``."""
        if request.request.method != "GET":
            return None
        return Response(body=request.request.one("echostr").encode("utf-8", "replace"))

    def decode(self, request: Trusted) -> Decoded:
        """Return the one event of the push; an empty answer tells Weibo not to push it again."""
        push = read_push(request.body)
        if self.settings.receiver_id and push.receiver_id != self.settings.receiver_id:
            raise Malformed("the push is addressed to another account")
        return Decoded(events=(event_of(push),))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return tuple(
            HttpCall(
                method="POST",
                url=f"{self.settings.api_base}/2/messages/reply.json",
                headers=_FORM,
                body=_form(type=kind, data=_json(data), receiver_id=message.recipient),
                note=kind,
            )
            for kind, data in _shapes(message)
        )

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the access token of the console, which has no refresh: in the form, or the query."""
        credential = urlencode({"access_token": self.settings.access_token})
        if call.method == "GET":
            return replace(call, url=f"{call.url}&{credential}")
        return replace(call, body=call.body + b"&" + credential.encode())

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return _outcome(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the download of a received file (unverified address)."""
        if not media.ref:
            return None
        query = urlencode({"fid": media.ref})
        return HttpCall(
            method="GET", url=f"{self.settings.media_base}/2/mss/msget?{query}", note="fetch"
        )

    def read_fetch(self, reply: Reply) -> Outcome:
        failed = reply.status != _OK or "error_code" in said(reply)
        return _outcome(reply) if failed else Accepted()


def _shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Link(title=title, url=url, description=description, picture=picture) if url.startswith(
            ("https://", "http://")
        ):
            article = {"display_name": title, "summary": description, "image": picture, "url": url}
            return (("articles", {"articles": [article]}),)
        case Place(latitude=latitude, longitude=longitude, label=label):
            place = {"longitude": str(longitude), "latitude": str(latitude)}
            return (("position", place), *_texts(label))
        case other:
            return _texts(as_text(other))


def _texts(text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple(("text", {"text": part}) for part in split(text, CAPABILITIES.max_text))


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _form(**fields: str) -> bytes:
    return urlencode(fields, errors="replace").encode()


def _outcome(reply: Reply) -> Outcome:
    """Return what Weibo's answer means; an error has ``error_code`` and a status of 4xx."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    code, why = str(answer.get("error_code", "")), str(answer.get("error", ""))
    if not code:
        return _without_code(reply, answer)
    if code in _BUSY:
        return Deferred(why=f"{code}: {why}")
    return Refused(reason=_reason(code), why=why, code=code)


def _without_code(reply: Reply, answer: Any) -> Outcome:
    if reply.status != _OK:
        return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))
    if not answer:
        return Deferred(why="the answer is not Weibo's", unsure=True)
    if answer.get("result") is False:
        return Refused(reason=Reason.UNKNOWN, why="result is false")
    return Accepted(external_id=str(answer.get("id", "")))


def _reason(code: str) -> Reason:
    if code in _TOKEN:
        return Reason.CREDENTIALS
    if code in _ACCOUNT:
        return Reason.ACCOUNT
    if code in _RECIPIENT:
        return Reason.RECIPIENT
    return Reason.CONTENT if _CONTENT.fullmatch(code) else Reason.UNKNOWN
