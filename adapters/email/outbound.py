"""What we write, as one mail by SMTP, and what the server's answer means.

RFC 5321 (replies), RFC 3463 (enhanced status codes), RFC 3834 (what robots write).
"""

import re
from dataclasses import replace
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import msgspec

from adapters._common.wordin import fit
from adapters.email.inbound import UNPROVEN, Handle, bounced_for, subject_of
from adapters.email.settings import Settings
from router.channel.contract import (
    Accepted,
    Deferred,
    MailCall,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    Speaker,
)
from router.channel.text import as_text

_RECIPIENT = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")
_THREAD = re.compile(r"[0-9a-f]{16}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_ENHANCED = re.compile(r"\b[245]\.(\d{1,3})\.\d{1,3}\b")
_TAKEN, _LATER, _NEVER = range(200, 300), range(400, 500), range(500, 600)
_NOT_KNOWN = frozenset({550, 551, 553})
_KEY = frozenset({530, 534, 535, 538})


def calls_for(message: Outbound, settings: Settings) -> tuple[MailCall, ...] | Refused:
    """Return the one mail that says ``message``; refused if nobody could get it."""
    recipient = message.recipient.removeprefix(UNPROVEN)
    words = fit(as_text(message.content))
    if not settings.address:
        why = "address is not set: the account only listens"
        return Refused(reason=Reason.UNSUPPORTED, why=why)
    if not words.strip():
        return Refused(reason=Reason.CONTENT, why="there is nothing in it to send")
    if not _RECIPIENT.fullmatch(recipient):
        return Refused(reason=Reason.RECIPIENT, why="it is not an address that mail reaches")
    key = _id(message, settings)
    try:
        body = _written(message, settings, recipient, words, key)
    except (MessageError, ValueError, LookupError) as error:
        return Refused(reason=Reason.CONTENT, why=f"it cannot be written as a mail: {error}")
    return (
        MailCall(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            sender=settings.address,
            recipients=(recipient,),
            body=body,
            note=key,
        ),
    )


def with_password(call: MailCall, settings: Settings) -> MailCall:
    """Return ``call`` with the user and password of the server, if it has some."""
    return replace(call, username=settings.smtp_user, password=settings.smtp_password)


def outcome_of(call: MailCall, reply: Reply) -> Outcome:
    """Return what the server's answer means: 4xx comes later, 5xx never."""
    why = fit(reply.body.decode("utf-8", "replace")[:300])
    code = str(reply.status)
    if reply.status in _TAKEN:
        return Accepted(external_id=call.note)
    if reply.status in _LATER:
        return Deferred(why=f"{code} {why}")
    if reply.status in _KEY:
        return Refused(reason=Reason.CREDENTIALS, why=why, code=code)
    enhanced = _ENHANCED.search(why)
    reason = bounced_for(enhanced[1]) if enhanced else Reason.UNKNOWN
    if reason is Reason.UNKNOWN and reply.status in _NOT_KNOWN:
        reason = Reason.RECIPIENT
    elif reason is Reason.UNKNOWN and reply.status in _NEVER:
        reason = Reason.CONTENT if reply.status in (552, 554) else Reason.UNKNOWN
    return Refused(reason=reason, why=why, code=code)


def _id(message: Outbound, settings: Settings) -> str:
    """Return our own Message-ID: the same for every attempt, with the thread in it."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", message.id)[:80] or "message"
    thread = f".t{message.thread}" if _THREAD.fullmatch(message.thread) else ""
    return f"<{name}{thread}@{settings.domain}>"


def _written(message: Outbound, settings: Settings, recipient: str, words: str, key: str) -> bytes:
    handle = _handle(message.reply_handle)
    subject = _flat(subject_of(handle.subject))
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=_flat(message.speaker_name), addr_spec=settings.address)
    mail["To"] = recipient
    mail["Subject"] = f"Re: {subject}" if subject else _flat(settings.subject)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = key
    references = [each for each in handle.references if _ID.fullmatch(each)]
    answered = message.reply_to.partition("#")[0]
    if _ID.fullmatch(answered):
        mail["In-Reply-To"] = answered
        references = [*(each for each in references if each != answered), answered]
    if references:
        mail["References"] = " ".join(references)
    if settings.plus_addressing and _THREAD.fullmatch(message.thread):
        local, _, domain = settings.address.rpartition("@")
        mail["Reply-To"] = f"{local}+t{message.thread}@{domain}"
    if message.by is not Speaker.AGENT:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(words, charset="utf-8", cte="base64")
    return mail.as_bytes()


def _handle(given: str) -> Handle:
    try:
        return msgspec.json.decode(given, type=Handle)
    except msgspec.DecodeError:
        return Handle()


def _flat(text: str) -> str:
    """Return ``text`` on one line, so that nobody writes a header of their own."""
    return " ".join(_UNFIT.sub(" ", fit(text)).split())[:200]
