"""What each relay delivers, as a `Mail`.

https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from adapters._common.calls import raw_json
from adapters._common.fields import inside, many, moment_of, opened, word
from adapters._common.formin import Form
from adapters._common.jsonin import read_json
from adapters._common.wordin import fit
from adapters.email.mail import (
    Headers,
    Mail,
    came,
    decoded,
    kind_of,
    read_headers,
    read_mime,
    signers_of,
)
from adapters.email.settings import Settings
from router.channel.contract import Bell, Enclosed, Malformed
from router.domain.content import Media

_PASSED = re.compile(r"@?([A-Za-z0-9.-]+)\s*:\s*pass", re.IGNORECASE)
_MAILGUN = (".mailgun.net", ".mailgun.org")
S3 = "s3:"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOST = re.compile(r"https://([a-z0-9.-]+)/")


def from_form(form: Form, settings: Settings, now: datetime) -> Mail:
    """Return the mail in a form of Mailgun or SendGrid; each of both may hold it raw."""
    if "envelope" in form.fields or "email" in form.fields:
        return _sendgrid(form, now)
    return _mailgun(form, settings, now)


# ----- Mailgun -----------------------------------------------------------------------------------


def _mailgun(form: Form, settings: Settings, now: datetime) -> Mail:
    at = min(moment_of(form.text("timestamp")) or now, now)
    if raw := form.fields.get("body-mime"):
        mime = read_mime(raw)
        headers, text, html, files = mime.headers, mime.text, mime.html, mime.files
        inside_it = mime.enclosed
    else:
        headers, text, html = _listed(form), fit(form.text("body-plain")), form.text("body-html")
        carried = _carried(form)
        files = (*_stored(form), *(media for media, _ in carried))
        inside_it = tuple(file for _, file in carried if file.data)
    own = {
        name: decoded(form.text(given))
        for name, given in (
            ("message-id", "Message-Id"),
            ("in-reply-to", "In-Reply-To"),
            ("references", "References"),
            ("subject", "subject"),
            ("from", "from"),
        )
        if form.text(given).strip()
    }
    return Mail(
        headers=headers,
        own=own,
        text=text,
        html=fit(html),
        sender=form.text("sender"),
        recipients=tuple(form.text("recipient").split(",")),
        at=at,
        files=files,
        enclosed=inside_it,
        spf=settings.check_headers and _all(headers, "x-mailgun-spf"),
        dkim=settings.check_headers and _all(headers, "x-mailgun-dkim-check-result"),
        signers=signers_of(headers) or (),
    )


def _listed(form: Form) -> Headers:
    try:
        pairs = read_json(form.fields.get("message-headers", b"[]"))
    except Malformed:
        pairs = []
    return tuple(
        (pair[0], pair[1])
        for pair in (pairs if isinstance(pairs, list) else ())
        if isinstance(pair, list) and [type(each) for each in pair] == [str, str]
    )


def _all(headers: Headers, name: str) -> bool:
    """Return whether every header of this name says Pass: a sender may add one of its own."""
    found = [value.strip().lower() for key, value in headers if key.lower() == name]
    return bool(found) and all(value == "pass" for value in found)


def _stored(form: Form) -> Iterator[Media]:
    """Yield the attachments that Mailgun keeps for us; only its own addresses are believed."""
    try:
        found = read_json(form.fields.get("attachments", b"[]"))
    except Malformed:
        return
    for each in found if isinstance(found, list) else ():
        link, mime, size = word(each, "url"), word(each, "content-type"), word(each, "size")
        if is_mailguns(link):
            yield Media(
                kind=kind_of(mime),
                ref=link,
                name=word(each, "name"),
                mime=mime,
                size=int(size[:12]) if size.isascii() and size.isdigit() else 0,
            )


def is_mailguns(link: str) -> bool:
    """Return whether an address is Mailgun's own, which alone gets our key."""
    host = _HOST.match(link)
    return host is not None and host[1].endswith(_MAILGUN)


def _carried(form: Form) -> tuple[tuple[Media, Enclosed], ...]:
    """Return the files that came with the form."""
    return tuple(came(each.data, fit(each.name), each.mime) for each in form.files)


# ----- SendGrid ----------------------------------------------------------------------------------


def _sendgrid(form: Form, now: datetime) -> Mail:
    charsets = opened(form.text("charsets"))
    envelope = opened(form.text("envelope"))

    def text(name: str) -> str:
        return fit(form.text(name, word(charsets, name) or "utf-8"))

    if raw := form.fields.get("email"):
        mime = read_mime(raw)
        headers, words, html, files = mime.headers, mime.text, mime.html, mime.files
        inside_it = mime.enclosed
    else:
        headers, words, html = read_headers(text("headers")), text("text"), text("html")
        carried = _carried(form)
        files = tuple(media for media, _ in carried)
        inside_it = tuple(file for _, file in carried if file.data)
    passed = tuple(each.lower() for each in _PASSED.findall(form.text("dkim")))
    return Mail(
        headers=headers,
        own={name: text(name) for name in ("subject", "from") if text(name).strip()},
        text=words,
        html=html,
        sender=word(envelope, "from"),
        recipients=tuple(each for each in many(envelope, "to") if isinstance(each, str)),
        at=now,
        files=files,
        enclosed=inside_it,
        dkim=bool(passed),
        spf=form.text("SPF").strip().lower() == "pass",
        signers=passed,
    )


# ----- Amazon SES --------------------------------------------------------------------------------


def bell_for(told: Mapping[str, Any], settings: Settings) -> Bell | None:
    """Return the bell for a mail that lies in S3; None if it does not or we have no key for it.

    Its hint keeps what only the notification says: who sent it and what SES has checked.
    """
    mail, receipt = inside(told, "mail"), inside(told, "receipt")
    action = inside(receipt, "action")
    bucket, name = word(action, "bucketName"), word(action, "objectKey")
    if not (settings.aws_access_key_id and _BUCKET.fullmatch(bucket) and name):
        return None
    hint = {
        "mail": {
            "source": word(mail, "source"),
            "timestamp": word(mail, "timestamp"),
            "commonHeaders": inside(mail, "commonHeaders"),
        },
        "receipt": {
            "recipients": many(receipt, "recipients"),
            "action": action,
            **{
                kind: inside(receipt, kind)
                for kind in ("dkimVerdict", "spfVerdict", "dmarcVerdict")
            },
        },
    }
    return Bell(cursor_key=f"{S3}{bucket}/{name}", hint=raw_json(hint).decode())


def _place(told: Mapping[str, Any]) -> str:
    """Return words for a mail whose words did not come."""
    action = inside(inside(told, "receipt"), "action")
    place = f"{word(action, 'bucketName')}/{word(action, 'objectKey')}".strip("/")
    return f"[the mail lies in S3 / 邮件正文在 S3: {place}]" if place else "[no text came / 无正文]"


def from_ses(told: Mapping[str, Any], raw: bytes | None, now: datetime | None) -> Mail:
    """Return the mail that a notification of SES tells of; ``raw`` is its content, if given.

    ``now`` is what no mail can be later than, where that is known.
    """
    mail, receipt = inside(told, "mail"), inside(told, "receipt")
    common = inside(mail, "commonHeaders")
    given = tuple(
        (word(each, "name"), word(each, "value"))
        for each in many(mail, "headers")
        if word(each, "name")
    )
    mime = None if raw is None else read_mime(raw)
    headers = given if mime is None else mime.headers
    writers = [each for each in many(common, "from") if isinstance(each, str)]
    own = {
        name: value
        for name, value in (
            ("message-id", word(common, "messageId")),
            ("subject", word(common, "subject")),
            ("from", decoded(writers[0]) if writers else ""),
        )
        if value
    }
    cut = mail.get("headersTruncated") is True
    return Mail(
        headers=headers,
        own=own if mime is None else {},
        text=_place(told) if mime is None else mime.text,
        html="" if mime is None else mime.html,
        sender=word(mail, "source"),
        recipients=tuple(each for each in many(receipt, "recipients") if isinstance(each, str)),
        at=_instant(word(mail, "timestamp"), now),
        files=() if mime is None else mime.files,
        enclosed=() if mime is None else mime.enclosed,
        dkim=_verdict(receipt, "dkim"),
        spf=_verdict(receipt, "spf"),
        dmarc=_verdict(receipt, "dmarc"),
        signers=signers_of(headers) or (() if cut else None),
    )


def _verdict(receipt: Mapping[str, Any], name: str) -> bool:
    return word(inside(receipt, f"{name}Verdict"), "status").upper() == "PASS"


def _instant(given: str, now: datetime | None) -> datetime:
    try:
        found = datetime.fromisoformat(given).astimezone(UTC)
    except (ValueError, OverflowError):
        return now or _EPOCH
    return found if now is None else min(found, now)
