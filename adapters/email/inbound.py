"""A mail as events: what a customer wrote, that a mail of ours came back, or that it is a robot's.

RFC 5322 (Message-ID, In-Reply-To, References), RFC 3834 (automatic answers), RFC 3464 (bounces).
"""

import re
from hashlib import sha256

import msgspec

from adapters._common.rich import parts_of, told
from adapters._common.wordin import fit
from adapters.email.mail import Mail
from adapters.email.settings import Settings
from adapters.email.words import unquoted
from router.channel.contract import Event, Ignored, Reason, Receipt, ReceiptState, Received
from router.domain.content import Media, Unsupported
from router.domain.identity import Claim, ClaimKind

UNPROVEN = "unproven:"
_OURS = re.compile(r"<[A-Za-z0-9_-]{1,80}(?:\.t([0-9a-f]{16}))?@([A-Za-z0-9.-]+)>")
_PLUS = re.compile(r"\+t([0-9a-f]{16})@")
_ANSWER = re.compile(r"^\s*(?:(?:re|aw|sv|回复|答复|回覆)\s*[:：]\s*)+", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_POSTMASTERS = frozenset({"mailer-daemon", "postmaster"})
_STATUS = re.compile(r"\b([45])\.(\d{1,3})\.(\d{1,3})\b")
_MOST_REFERENCES = 20


class Handle(msgspec.Struct, frozen=True):
    """What an answer must know of the mail that it answers."""

    subject: str = ""
    references: tuple[str, ...] = ()


def events_of(mail: Mail, settings: Settings) -> tuple[Event, ...]:
    """Return what a mail says."""
    name, address = mail.author
    if (bounced := _bounce(mail, address, settings)) is not None:
        return (bounced,)
    if (robot := _automatic(mail)) is not None:
        return (Ignored(kind=robot),)
    if address and address == settings.address.lower():
        return (Ignored(kind="from ourselves"),)
    key = mail.id or _hashed(mail)
    first, *more = told(_words(mail), mail.files)
    if not isinstance(first, Media) and not _words(mail):
        first = Unsupported(kind="empty mail")
    received = Received(
        external_id=key,
        sender=address if mail.is_proven else f"{UNPROVEN}{address or key}",
        at=mail.at,
        content=first,
        sender_name=name,
        thread=_thread(mail, settings, key),
        reply_handle=_handle(mail),
        reply_to=mail.answers[-1] if mail.answers else "",
        claims=_claims(mail, address),
    )
    return parts_of(received, more)


def subject_of(given: str) -> str:
    """Return a subject without its "Re:"."""
    return _ANSWER.sub("", given).strip()


def _words(mail: Mail) -> str:
    """Return the words: of an answer without quotations, of a first mail with its subject."""
    subject, words = subject_of(mail.header("subject")), mail.words
    if mail.answers:
        return unquoted(words) or subject
    return "\n\n".join(part for part in (subject, words) if part)


def _claims(mail: Mail, address: str) -> tuple[Claim, ...]:
    if not address:
        return ()
    source = "platform" if mail.is_proven else "customer"
    return (Claim(kind=ClaimKind.EMAIL, value=address, verified=mail.is_proven, source=source),)


def _handle(mail: Mail) -> str:
    ids = (*mail.answers, *([mail.id] if mail.id else ()))
    kept = (*ids[:1], *ids[1:][-_MOST_REFERENCES:])
    return msgspec.json.encode(Handle(mail.header("subject")[:400], kept)).decode()


def _thread(mail: Mail, settings: Settings, key: str) -> str:
    """Return the thread: named by an id of ours, by the address, else after the root's id.

    Never by the subject: two complaints may have the same one.
    """
    for each in reversed(mail.answers):
        ours = _OURS.fullmatch(each)
        if ours is not None and ours[1] and ours[2].lower() == settings.domain:
            return ours[1]
    for recipient in mail.recipients:
        if (plus := _PLUS.search(recipient)) is not None:
            return plus[1]
    return thread_of(mail.answers[0] if mail.answers else key)


def thread_of(root: str) -> str:
    """Return the name of the thread that began with the mail ``root``."""
    return sha256(root.encode("utf-8", "replace")).hexdigest()[:16]


def _hashed(mail: Mail) -> str:
    said = "\n".join((mail.header("from"), mail.header("date"), mail.header("subject"), mail.words))
    return f"h{sha256(said.encode('utf-8', 'replace')).hexdigest()[:32]}"


# ----- robots ------------------------------------------------------------------------------------


def _automatic(mail: Mail) -> str | None:
    """Return what kind of automatic mail this is; answering one might never end."""
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return f"automatic {fit(submitted)[:40]}"
    precedence = mail.header("precedence").strip().lower()
    return f"precedence {precedence}" if precedence in _BULK else None


def _bounce(mail: Mail, address: str, settings: Settings) -> Event | None:
    """Return that a mail of ours came back, if this says so and names it."""
    local = address.partition("@")[0]
    if local not in _POSTMASTERS and "report" not in mail.header("content-type").lower():
        return None
    text = f"{' '.join(mail.answers)} {mail.words}"
    named = (each for each in _OURS.finditer(text) if each[2].lower() == settings.domain)
    ours = next(named, None)
    status = _STATUS.search(mail.words)
    if ours is None or status is None or status[1] == "4":
        return Ignored(kind="bounce")
    return Receipt(
        external_id=f"{ours[0]}:refused",
        target=ours[0],
        sender="",
        at=mail.at,
        state=ReceiptState.REFUSED,
        why=bounced_for(status[2]).value,
    )


def bounced_for(subject: str) -> Reason:
    """Return why, by the second number of an enhanced status code (RFC 3463)."""
    if subject in ("1", "2"):
        return Reason.RECIPIENT
    return Reason.CONTENT if subject in ("3", "6", "7") else Reason.UNKNOWN
