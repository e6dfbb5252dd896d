"""Twilio calls: live transcription, call states, and transcripts of Voice Intelligence."""

import re
from dataclasses import dataclass
from datetime import datetime

from adapters._common.answers import in_trouble
from adapters._common.jsonin import read_object
from adapters._common.twilio import form, prove, with_basic
from adapters.twilio.calls import CALL, customer_number, phone_claims, read_callback
from adapters.twilio.intelligence import bell_for, page_call, read_page
from adapters.twilio.settings import Settings
from adapters.twilio.wire import Available, struct
from adapters.twilio.wire import Call as CallResource
from router.channel.contract import (
    Bell,
    Decoded,
    Deferred,
    Event,
    HttpCall,
    Identified,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Pulled,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
)

_TAKEN = Response(status=204)
_AVAILABLE = "voice_intelligence_transcript_available"
_CALL = re.compile(r"^call:(CA[0-9a-fA-F]{32})$")


@dataclass(frozen=True, slots=True)
class Twilio:
    """One Twilio account. Calls are read, never answered."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove Twilio's signature over the public URL and the form, or the hash of the body."""
        prove(self.settings.keys, request)
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what a callback says. It may come as a form, in the query, or as JSON."""
        if request.body.lstrip()[:1] == b"{":
            return Decoded(events=_announced(dict(read_object(request.body))), response=_TAKEN)
        fields = dict(request.request.query) | dict(form(request.body))
        if fields.get("event_type"):
            return Decoded(events=_announced(fields), response=_TAKEN)
        events = read_callback(self.settings, fields, request.request.moment.now)
        return Decoded(events=events, response=_TAKEN)

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: a call cannot be answered in writing, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Put basic authentication on: the API key if there is one, else the account's token."""
        user = self.settings.api_key_sid or self.settings.account_sid
        secret = self.settings.api_key_secret or self.settings.auth_token
        return with_basic(call, user, secret)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="a call cannot be answered in writing")

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        """Return the call for the transcript, or for the sentences after ``cursor``."""
        return page_call(self.settings, bell, cursor)

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        """Read a transcript or a page of sentences; one that is not there yet comes later."""
        return _failed(reply, late=True) or read_page(self.settings, bell, reply)

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the call that tells who rang; only calls have one."""
        found = _CALL.fullmatch(external_id)
        account = self.settings.account_sid
        if found is None or not account:
            return None
        path = f"/2010-04-01/Accounts/{account}/Calls/{found[1]}.json"
        return HttpCall(method="GET", url=self.settings.api_base + path)

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the number that rang, as a claim."""
        failed = _failed(reply, late=False)
        if failed is not None:
            return failed
        try:
            call = struct(read_object(reply.body), CallResource)
        except Malformed as error:
            return Deferred(why=f"the answer is not Twilio's: {error}")
        number = customer_number(call.direction, call.from_, call.to)
        return Identified(
            external_id=f"{external_id.removeprefix(CALL)}:known",
            sender=external_id,
            at=now,
            claims=phone_claims(self.settings, number),
            sender_name=call.caller_name,
        )


def _announced(told: dict[str, str]) -> tuple[Event, ...]:
    found = struct(told, Available)
    if found.event_type != _AVAILABLE:
        return (Ignored(kind=found.event_type[:64] or "json"),)
    return (bell_for(found.transcript_sid),)


def _failed(reply: Reply, *, late: bool) -> Outcome | None:
    """Say why an answer holds nothing; ``late`` if what is not found may still come."""
    if (trouble := in_trouble(reply)) is not None:
        return trouble
    match reply.status:
        case 200:
            return None
        case 401 | 403:
            return Refused(reason=Reason.CREDENTIALS, why="Twilio refuses our key", code="20003")
        case 404 if late:
            return Deferred(why="not there yet")
        case 404:
            return Refused(reason=Reason.RECIPIENT, why="Twilio knows no such call", code="20404")
        case status:
            return Refused(reason=Reason.UNKNOWN, why=f"HTTP {status}")
