"""Amazon Connect: one adapter is one instance, heard through a sender of ours in AWS."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import unquote_plus

from adapters._common.answers import header, in_trouble, said
from adapters._common.callers import CALL, caller_claims
from adapters._common.calls import raw_json
from adapters._common.fields import inside, many, word
from adapters._common.jsonin import read_json
from adapters._common.sigv4 import object_call, signed_v4
from adapters.connect.segments import read_record
from adapters.connect.settings import Settings
from router.channel.contract import (
    Bell,
    Decoded,
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
    Unverified,
)

S3 = "s3:"
_CONTACT = re.compile(r"[0-9a-fA-F-]{36}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}")
_MOST = 24 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ASKS = "contact"


@dataclass(frozen=True, slots=True)
class Connect:
    """One instance. Calls are read, never answered."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Prove the key of our own sender: Amazon itself signs nothing.

        Without a key the secret in the path, which was checked before, is all.
        """
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = (
            request.headers.get("x-amz-firehose-access-key")
            or request.headers.get("x-api-key")
            or (bearer.strip() if scheme.lower() == "bearer" else "")
        )
        wanted = self.settings.api_key.encode()
        fits = not wanted or compare_digest(given.encode("utf-8", "replace"), wanted)
        if request.method != "POST" or not fits:
            raise Unverified("api key does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what a delivery holds: records by Firehose, a notification, or one by itself."""
        found = read_json(request.body, max_bytes=_MOST)
        now = request.request.moment.now
        events = tuple(event for record in _records(found) for event in self._events(record, now))
        return Decoded(events=events, response=_answer(found, now))

    def _events(self, record: Any, now: datetime) -> tuple[Event, ...]:
        detail = inside(record, "detail")
        if inside(detail, "object"):
            return (self._bell(detail),)
        return read_record(self.settings, detail or record, now)

    def _bell(self, detail: Mapping[str, Any]) -> Event:
        """Return the bell for an analysis in S3, told by EventBridge."""
        bucket = word(inside(detail, "bucket"), "name")
        name = unquote_plus(word(inside(detail, "object"), "key"))
        if not (_BUCKET.fullmatch(bucket) and name.endswith(".json")):
            return Ignored(kind="object of another kind")
        if not self.settings.aws_access_key_id:
            return Ignored(kind="object without a key to read it")
        return Bell(cursor_key=f"{S3}{bucket}/{name}")

    # ----- analyses in S3 ------------------------------------------------------------------------

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        """Return the download of an analysis."""
        bucket, _, name = bell.cursor_key.removeprefix(S3).partition("/")
        settings = self.settings
        return object_call(bucket, name, region=settings.aws_region, base=settings.s3_base)

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        """Return the turns of an analysis; what S3 does not let us read keeps ringing."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.status != 200:  # noqa: PLR2004
            denied = reply.status in (401, 403)
            reason = Reason.CREDENTIALS if denied else Reason.UNKNOWN
            return Refused(reason=reason, why=f"S3: HTTP {reply.status}", code=str(reply.status))
        record = read_json(reply.body, max_bytes=_MOST)
        events = read_record(self.settings, record, _answered(reply))
        return Pulled(events=events, cursor="read", more=False)

    # ----- who rang ------------------------------------------------------------------------------

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the call that tells who rang."""
        contact, settings = external_id.removeprefix(CALL), self.settings
        if not (settings.instance_id and settings.aws_region and _CONTACT.fullmatch(contact)):
            return None
        base = settings.connect_base or f"https://connect.{settings.aws_region}.amazonaws.com"
        path = f"/contacts/{settings.instance_id}/{contact}"
        return HttpCall(method="GET", url=f"{base}{path}", note=_ASKS)

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the customer's number as a claim (``CustomerEndpoint``, unverified)."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        contact = inside(said(reply), "Contact")
        endpoint = word(inside(contact, "CustomerEndpoint"), "Address")
        settings = self.settings
        claims = caller_claims(endpoint, settings.region, trusted=settings.trust_caller_id)
        if not claims:
            denied = reply.status in (401, 403)
            reason = Reason.CREDENTIALS if denied else Reason.RECIPIENT
            why = "Amazon tells no number"
            return Refused(reason=reason, why=why, code=str(reply.status))
        return Identified(
            external_id=f"{external_id.removeprefix(CALL)}:known",
            sender=external_id,
            at=now,
            claims=claims,
        )

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: a call cannot be answered in writing, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        service = "connect" if call.note == _ASKS else "s3"
        settings = self.settings
        return signed_v4(
            call, settings.aws_key, region=settings.aws_region, service=service, now=moment.now
        )

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="a call cannot be answered in writing")


def _records(found: Any) -> Iterator[Any]:
    """Yield the records of a delivery; those of Firehose are Base64, each with one or more."""
    if isinstance(found, list):
        yield from found
    elif isinstance(found, Mapping) and "records" in found:
        for each in many(found, "records"):
            yield from _opened(word(each, "data"))
    else:
        yield found


def _opened(data: str) -> Iterator[Any]:
    try:
        text = b64decode(data.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error, ValueError):
        yield None
        return
    for line in text.splitlines() or [b""]:
        try:
            yield read_json(line)
        except Malformed:
            yield None


def _answer(found: Any, now: datetime) -> Response:
    """Return the answer: Firehose wants its request's id and a time, others nothing."""
    if not (isinstance(found, Mapping) and "records" in found):
        return Response()
    answer = {"requestId": word(found, "requestId"), "timestamp": int(now.timestamp() * 1000)}
    return Response(body=raw_json(answer), content_type="application/json")


def _answered(reply: Reply) -> datetime:
    """Return when the answer was given; an analysis itself tells no time."""
    try:
        found = parsedate_to_datetime(header(reply, "last-modified") or header(reply, "date"))
        return found.astimezone(UTC) if found.tzinfo else _EPOCH
    except (ValueError, TypeError, OverflowError, IndexError):
        return _EPOCH
