"""One mail, whatever relay brought it: who, what, in answer to which, and whether it is proven."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parseaddr

from adapters._common.formin import BROKEN, readable
from adapters._common.wordin import fit
from adapters.email.words import from_html
from router.channel.contract import Enclosed, Malformed, enclosed
from router.domain.content import Media, MediaKind

Headers = tuple[tuple[str, str], ...]
_ID = re.compile(r"<[^<>\s]{1,900}>")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\\]{1,64}@[A-Za-z0-9.-]{1,190}")
_SIGNER = re.compile(r"(?:^|;)\s*d\s*=\s*([A-Za-z0-9.-]+)")
_KINDS = {"image": MediaKind.IMAGE, "audio": MediaKind.VOICE, "video": MediaKind.VIDEO}
_MOST_PARTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail. ``headers`` are as they came; ``sender`` is the envelope's.

    ``dkim``, ``spf`` and ``dmarc`` are what the relay found; ``signers`` are the domains that DKIM
    passed for, None if the relay does not say which.
    """

    headers: Headers
    text: str
    html: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    at: datetime
    files: tuple[Media, ...] = ()
    enclosed: tuple[Enclosed, ...] = ()
    dkim: bool = False
    spf: bool = False
    dmarc: bool = False
    signers: tuple[str, ...] | None = None
    own: dict[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return the first header of this name, decoded; empty if there is none."""
        found = next((value for key, value in self.headers if key.lower() == name), "")
        return self.own.get(name) or decoded(found)

    @property
    def id(self) -> str:
        """Return the Message-ID with its brackets, or ""."""
        return next(iter(_ID.findall(self.header("message-id"))), "")

    @property
    def answers(self) -> tuple[str, ...]:
        """Return the ids that this mail answers, the root first, the nearest last."""
        ids = _ID.findall(f"{self.header('references')} {self.header('in-reply-to')}")
        return tuple(dict.fromkeys(ids))

    @property
    def author(self) -> tuple[str, str]:
        """Return name and address of the From header; an address that is none is empty."""
        name, address = parseaddr(self.header("from"))
        return fit(name), address.lower() if _ADDRESS.fullmatch(address) else ""

    @property
    def words(self) -> str:
        """Return what was written, with its quotations."""
        return self.text.strip() or from_html(self.html)

    @property
    def is_proven(self) -> bool:
        """Return whether the From address is that of who sent it."""
        domain = self.author[1].rpartition("@")[2]
        envelope = self.sender.rpartition("@")[2].strip("<> ").lower()
        signers = (envelope,) if self.signers is None else self.signers
        return bool(domain) and (
            self.dmarc
            or (self.spf and _aligned(domain, envelope))
            or (self.dkim and any(_aligned(domain, each) for each in signers))
        )


def _aligned(one: str, other: str) -> bool:
    """Return whether two domains are the same or one lies below the other."""
    if "." not in one or "." not in other:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def decoded(value: str) -> str:
    """Return a header as people read it."""
    flat = " ".join(value.split())
    try:
        return fit(str(make_header(decode_header(flat))))
    except (MessageError, ValueError, LookupError):
        return fit(flat)


def signers_of(headers: Headers) -> tuple[str, ...] | None:
    """Return the domains in DKIM-Signature headers; None if there is no such header."""
    found = [value for name, value in headers if name.lower() == "dkim-signature"]
    if not found:
        return None
    return tuple(each.lower() for value in found for each in _SIGNER.findall(value))


def kind_of(mime: str) -> MediaKind:
    """Return what a file of this type is shown as."""
    return _KINDS.get(mime.partition("/")[0].lower(), MediaKind.FILE)


def read_headers(block: str) -> Headers:
    """Return the headers of a raw block."""
    return read_mime(block.encode("utf-8", "replace") + b"\r\n\r\n").headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Mime:
    """What stands in a raw mail."""

    headers: Headers
    text: str
    html: str
    files: tuple[Media, ...]
    enclosed: tuple[Enclosed, ...]


def read_mime(raw: bytes) -> Mime:
    """Return what a raw mail holds, or raise `Malformed`."""
    try:
        parsed = BytesParser(policy=policy.compat32).parsebytes(raw)
        headers = tuple((name, str(value)) for name, value in parsed.items())
        plain: list[str] = []
        marked: list[str] = []
        files: list[tuple[Media, Enclosed]] = []
        for part in _leaves(parsed):
            mime, data = part.get_content_type(), part.get_payload(decode=True)
            content = data if isinstance(data, bytes) else b""
            name = part.get_filename() or ""
            if not name and mime in ("text/plain", "text/html"):
                words = fit(readable(content, part.get_content_charset() or "utf-8"))
                (plain if mime == "text/plain" else marked).append(words)
            elif name or content:
                files.append(came(content, decoded(name) or mime, mime))
    except BROKEN as error:
        raise Malformed(f"the mail cannot be read: {type(error).__name__}") from error
    return Mime(
        headers=headers,
        text="\n".join(plain),
        html="\n".join(marked),
        files=tuple(media for media, _ in files),
        enclosed=tuple(file for _, file in files if file.data),
    )


def came(data: bytes, name: str, mime: str) -> tuple[Media, Enclosed]:
    """Return a file that came with the mail; an empty one has nothing to be kept."""
    file = enclosed(data, name)
    ref = file.ref if data else ""
    return Media(kind=kind_of(mime), ref=ref, name=name, mime=mime, size=len(data)), file


def _leaves(mail: Message) -> Iterator[Message]:
    for number, part in enumerate(mail.walk()):
        if number >= _MOST_PARTS:
            raise Malformed("the mail has too many parts")
        if not part.is_multipart():
            yield part
