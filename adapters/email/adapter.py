"""E-mail: one adapter is one mailbox, heard through a relay's webhook and answered by SMTP."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters._common.answers import in_trouble
from adapters._common.fields import inside, moment_of, opened, word
from adapters._common.formin import read_form
from adapters._common.jsonin import read_json, read_object
from adapters._common.sigv4 import object_call, signed_v4
from adapters.email.inbound import events_of
from adapters.email.mail import Mail
from adapters.email.outbound import calls_for, outcome_of, with_password
from adapters.email.proof import Way, proven
from adapters.email.relays import S3, bell_for, from_form, from_ses, is_mailguns
from adapters.email.settings import Settings
from router.channel.contract import (
    Accepted,
    Bell,
    Decoded,
    Event,
    HttpCall,
    Ignored,
    MailCall,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Pulled,
    Reason,
    Receipt,
    ReceiptState,
    Received,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
)
from router.domain.content import Media

_SUBSCRIBE = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?/\S{0,2000}")
_STATES = {
    "delivered": ReceiptState.DELIVERED,
    "open": ReceiptState.READ,
    "bounce": ReceiptState.REFUSED,
    "dropped": ReceiptState.REFUSED,
}
_OK = range(200, 300)
_DENIED = (401, 403)


@dataclass(frozen=True, slots=True)
class Email:
    """One mailbox."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        return proven(request, self.settings)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what a relay delivered: a mail, a subscription, or what became of ours."""
        now = request.request.moment.now
        match request.proof:
            case Way.SNS:
                return self._sns(read_object(request.body), now)
            case Way.EVENTS:
                return Decoded(events=_happened(request.body, now))
            case _:
                kind = request.request.headers.get("content-type", "")
                mail = from_form(read_form(kind, request.body), self.settings, now)
                return self._said(mail)

    def _sns(self, found: Mapping[str, Any], now: datetime) -> Decoded:
        """Return what SNS says. A subscription is confirmed at Amazon's own address only."""
        kind = word(found, "Type")
        if kind == "SubscriptionConfirmation":
            link = word(found, "SubscribeURL")
            confirm = HttpCall(method="GET", url=link, note="subscribe")
            calls = (confirm,) if _SUBSCRIBE.fullmatch(link) else ()
            return Decoded(events=(Ignored(kind=kind),), calls=calls)
        told = inside(found, "Message")
        if kind != "Notification" or word(told, "notificationType") != "Received":
            what = word(told, "notificationType", "eventType") or kind
            return Decoded(events=(Ignored(kind=f"sns {what}"[:64].strip()),))
        content = word(told, "content")
        raw = content.encode("utf-8", "surrogateescape") if content else None
        if raw is None and not word(inside(told, "mail"), "source"):
            raise Malformed("the notification holds no mail")
        if raw is None and (bell := bell_for(told, self.settings)) is not None:
            return Decoded(events=(bell,))
        return self._said(from_ses(told, raw, now))

    def _said(self, mail: Mail) -> Decoded:
        """Return what a mail says, with the files that are spoken of."""
        events = events_of(mail, self.settings)
        spoken = {
            each.content.ref
            for each in events
            if isinstance(each, Received) and isinstance(each.content, Media)
        }
        files = {each.ref: each for each in mail.enclosed if each.ref in spoken}
        return Decoded(events=events, files=tuple(files.values()))

    # ----- mails in S3 ---------------------------------------------------------------------------

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        """Return the download of the mail that SES put into S3."""
        bucket, _, name = bell.cursor_key.removeprefix(S3).partition("/")
        return object_call(
            bucket, name, region=self.settings.aws_region, base=self.settings.s3_base
        )

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        """Return the mail; one that is gone is named all the same."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.status in _DENIED:
            return Refused(
                reason=Reason.CREDENTIALS, why="S3 lets us not read", code="AccessDenied"
            )
        mail = from_ses(opened(bell.hint), reply.body if reply.status in _OK else None, None)
        said = self._said(mail)
        return Pulled(events=said.events, cursor="read", more=False, files=said.files)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[MailCall, ...] | Refused:
        return calls_for(message, self.settings)

    def sign(
        self, call: MailCall | HttpCall, *, token: Token | None, moment: Moment
    ) -> MailCall | HttpCall:
        """Add the server's password, or Mailgun's key for a stored file."""
        if isinstance(call, MailCall):
            return with_password(call, self.settings)
        if call.note == "s3":
            return signed_v4(
                call,
                self.settings.aws_key,
                region=self.settings.aws_region,
                service="s3",
                now=moment.now,
            )
        if not is_mailguns(call.url):
            return call
        given = b64encode(f"api:{self.settings.mailgun_api_key}".encode()).decode()
        return replace(call, headers=(*call.headers, ("authorization", f"Basic {given}")))

    def interpret(self, call: MailCall | HttpCall, reply: Reply) -> Outcome:
        if isinstance(call, MailCall):
            return outcome_of(call, reply)
        return self.read_fetch(reply)

    # ----- stored attachments --------------------------------------------------------------------

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the download of an attachment that Mailgun keeps."""
        return HttpCall(method="GET", url=media.ref) if is_mailguns(media.ref) else None

    def read_fetch(self, reply: Reply) -> Outcome:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.status in _OK:
            return Accepted()
        denied = reply.status in _DENIED
        reason = Reason.CREDENTIALS if denied else Reason.CONTENT
        return Refused(reason=reason, why=f"HTTP {reply.status}", code=str(reply.status))


def _happened(body: bytes, now: datetime) -> tuple[Event, ...]:
    """Return SendGrid's events: what became of mails that name our id (``smtp-id``, unverified)."""
    found = read_json(body)
    return tuple(_event(each, now) for each in (found if isinstance(found, list) else ()))


def _event(each: Any, now: datetime) -> Event:
    kind, target = word(each, "event"), word(each, "smtp-id")
    state = _STATES.get(kind)
    if state is None or not target:
        return Ignored(kind=f"sendgrid {kind}"[:64].strip())
    return Receipt(
        external_id=f"{word(each, 'sg_event_id') or target}:{kind}",
        target=target,
        sender=word(each, "email").lower(),
        at=min(moment_of(word(each, "timestamp")) or now, now),
        state=state,
        why=Reason.RECIPIENT.value if state is ReceiptState.REFUSED else "",
    )
