"""What all channels of Meta share: the signature, the check of the address, envelopes, errors.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.fields import inside, many, word
from adapters._common.jsonin import read_object
from router.channel.contract import (
    Deferred,
    Malformed,
    Outcome,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    TokenExpired,
    Trusted,
    Unverified,
)

API_BASE = "https://graph.facebook.com"
#: The version that our calls name; Meta keeps one for about two years.
API_VERSION = "v24.0"
_HEADER = "x-hub-signature-256"
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}")
_OK = 200
_PERMISSIONS = range(200, 300)
_NOT_ALLOWED = 10
#: The words of the refusal after the window; its number below 10 is unverified.
_OUTSIDE = re.compile(r"outside (?:of )?(?:the )?allowed window", re.IGNORECASE)


# ----- proving -----------------------------------------------------------------------------------


def signature(app_secret: str, body: bytes) -> str:
    """Return what the header holds for the raw ``body``; Meta may escape what we would not."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def proven(request: Request, *, app_secret: str, verify_token: str) -> Trusted:
    """Prove a delivery by its signature, and a check of the address by its token.

    The body of a GET is nobody's word and is left behind. The older SHA-1 header is not looked at.
    """
    if request.method == "GET":
        given = request.one("hub.verify_token").encode("utf-8", "replace")
        matches = hmac.compare_digest(given, verify_token.encode())
        if request.one("hub.mode") != "subscribe" or not matches:
            raise Unverified("hub.verify_token does not match")
        return Trusted(request=request, body=b"")
    given = request.headers.get(_HEADER, "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, signature(app_secret, request.body).encode()):
        raise Unverified(f"{_HEADER} does not match")
    return Trusted(request=request, body=request.body)


def challenged(request: Trusted) -> Response | None:
    """Answer the check of the address with its challenge; None for everything else."""
    if request.request.method != "GET":
        return None
    return Response(body=request.request.one("hub.challenge").encode("utf-8", "replace"))


def complaint(*, secrets: Mapping[str, str], api_base: str, api_version: str) -> str:
    """Return what is wrong with an account's settings; empty if nothing is."""
    empty = [name for name, value in secrets.items() if not value]
    if empty:
        return f"{' and '.join(empty)} must not be empty"
    if not api_base.startswith(("https://", "http://")) or api_base.endswith("/"):
        return "api_base must be an address that starts with https://, without a / at its end"
    if not _VERSION.fullmatch(api_version):
        return f"api_version must be a version of the Graph API such as {API_VERSION}"
    return ""


# ----- envelopes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one delivery holds for one page, account or business. ``time`` is when it was sent."""

    id: str
    time: str
    fields: Mapping[str, Any]

    def changes(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the name and the value of each change."""
        for change in many(self.fields, "changes"):
            yield word(change, "field"), inside(change, "value")


def read_entries(body: bytes, kind: str) -> tuple[Entry, ...]:
    """Return the entries of a delivery about objects of ``kind``, or raise `Malformed`."""
    envelope = read_object(body)
    if word(envelope, "object") != kind:
        raise Malformed(f"the object is {word(envelope, 'object') or 'absent'!r}, expected {kind}")
    entries = many(envelope, "entry")
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise Malformed("the delivery holds no entry")
    return tuple(
        Entry(id=word(entry, "id"), time=word(entry, "time"), fields=entry) for entry in entries
    )


# ----- answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error of the Graph API, as it stands in an answer or in a receipt."""

    code: int
    subcode: int
    why: str

    @property
    def name(self) -> str:
        """Return the number, with the one below it if there is one."""
        return f"{self.code}/{self.subcode}" if self.subcode > 0 else str(self.code)


def failure_of(error: Mapping[str, Any]) -> Failure:
    """Return the failure that an ``error`` object tells."""
    details = word(inside(error, "error_data"), "details")
    return Failure(
        code=_number(word(error, "code")),
        subcode=_number(word(error, "error_subcode")),
        why=details or word(error, "message", "title", "error_user_msg"),
    )


def refusal(reply: Reply) -> Failure | Outcome | None:
    """Return the failure in an answer, or what HTTP alone says; None if the answer is a success."""
    answer = said(reply)
    if isinstance(answer.get("error"), dict):
        return failure_of(inside(answer, "error"))
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    if reply.status != _OK:
        return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))
    return None if answer else Deferred(why="the answer is not Meta's", unsure=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a channel's error numbers mean; what all channels share stands in `meaning`."""

    busy: frozenset[int]
    reasons: Mapping[Reason, frozenset[int]]
    windows: frozenset[tuple[int, int]] = frozenset()

    def meaning(self, failure: Failure, reply: Reply | None = None) -> Outcome:
        """Return what ``failure`` means for the message that met it."""
        shut = failure.code == _NOT_ALLOWED and _OUTSIDE.search(failure.why)
        if shut or (failure.code, failure.subcode) in self.windows:
            return Refused(reason=Reason.WINDOW, why=failure.why, code=failure.name)
        if failure.code in (0, 190):
            return TokenExpired(why=f"{failure.name}: {failure.why}")
        if failure.code in self.busy or failure.code in (1, 2, 4):
            trouble = in_trouble(reply) if reply is not None else None
            wait = trouble.retry_after if trouble else None
            return Deferred(why=f"{failure.name}: {failure.why}", retry_after=wait)
        return Refused(reason=self._reason(failure.code), why=failure.why, code=failure.name)

    def _reason(self, code: int) -> Reason:
        for reason, codes in self.reasons.items():
            if code in codes:
                return reason
        if code in (3, _NOT_ALLOWED) or code in _PERMISSIONS:
            return Reason.ACCOUNT
        return Reason.CONTENT if code == 100 else Reason.UNKNOWN  # noqa: PLR2004  a parameter


def _number(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < len("1" * 10) else -1
