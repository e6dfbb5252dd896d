"""Alibaba Cloud SMS: SmsUp (what customers wrote) and SmsReport (what became of ours), by push.

https://help.aliyun.com/document_detail/101508.html and document_detail/101511.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from adapters._common.jsonin import read_json
from adapters._common.phone import e164
from adapters._common.wordin import leaves
from adapters.sms_aliyun.settings import Settings
from router.channel.contract import (
    Decoded,
    Event,
    HttpCall,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
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
    Unverified,
)
from router.domain.content import Content, Text, Unsupported
from router.domain.identity import Claim, ClaimKind

# Only that ``code`` is a number is looked at.
_TAKEN = Response(
    body='{"code":0,"msg":"接收成功"}'.encode(), content_type="application/json; charset=utf-8"
)
_YES = frozenset({"true", "1"})
#: Receipts' codes, from memory (unverified), by what they begin with.
_WHY = {
    "MOBILE_": Reason.RECIPIENT,
    "UNDELIV": Reason.RECIPIENT,
    "BLACK": Reason.RECIPIENT,
    "CONTENT": Reason.CONTENT,
    "SP_": Reason.ACCOUNT,
    "isv.MOBILE_NUMBER_ILLEGAL": Reason.RECIPIENT,
    "isv.BUSINESS_LIMIT_CONTROL": Reason.QUOTA,
    "isv.OUT_OF_SERVICE": Reason.ACCOUNT,
    "isv.AMOUNT_NOT_ENOUGH": Reason.ACCOUNT,
    "isp.RAM_PERMISSION_DENY": Reason.CREDENTIALS,
}


@dataclass(frozen=True, slots=True)
class AliyunSms:
    """One account's pushes; both kinds may come to the same address."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Take a POST: Alibaba signs nothing, the secret in the path has been checked before."""
        if request.method != "POST":
            raise Unverified("a push is a POST")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what each entry says; one that cannot be read costs the others nothing."""
        try:
            found = read_json(request.body)
        except Malformed as error:
            raise Malformed(str(error), answer=_TAKEN) from error
        entries = found if isinstance(found, list) else [found]
        now = request.request.moment.now
        events = tuple(self._event(entry, now) for entry in entries)
        return Decoded(events=events, response=_TAKEN)

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: only approved templates can be sent, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="Alibaba Cloud SMS sends approved templates only")

    # ----- entries -------------------------------------------------------------------------------

    def _event(self, entry: Any, now: datetime) -> Event:
        if not isinstance(entry, Mapping):
            return Ignored(kind="entry")
        told = {name: _flat(value) for name, value in entry.items()}
        if "success" in told and ("biz_id" in told or "err_code" in told):
            return self._receipt(told, now)
        if "content" in told or "sequence_id" in told:
            return self._said(told, now)
        return Ignored(kind=f"push {' '.join(sorted(told))}"[:64].strip())

    def _said(self, told: Mapping[str, str], now: datetime) -> Event:
        given, words = told.get("phone_number", ""), told.get("content", "")
        number = e164(given, self.settings.region)
        at = self._time(told.get("send_time", ""), now)
        key = told.get("sequence_id") or _hashed(given, told.get("send_time", ""), words)
        content: Content = Text(text=words) if words else Unsupported(kind="empty")
        return Received(
            external_id=key,
            sender=number or given or f"sms:{key}",
            at=at,
            content=content,
            claims=self._claims(number),
        )

    def _claims(self, number: str) -> tuple[Claim, ...]:
        if not number:
            return ()
        trusted = self.settings.trust_caller_id
        return (Claim(kind=ClaimKind.PHONE, value=number, verified=trusted, source="caller_id"),)

    def _receipt(self, told: Mapping[str, str], now: datetime) -> Event:
        given = told.get("phone_number", "")
        target = told.get("biz_id") or told.get("out_id", "")
        arrived = told["success"].lower() in _YES
        return Receipt(
            external_id=f"{target}:{given}:{'delivered' if arrived else 'refused'}",
            target=target,
            sender=e164(given, self.settings.region) or given,
            at=self._time(told.get("report_time", ""), now),
            state=ReceiptState.DELIVERED if arrived else ReceiptState.REFUSED,
            why="" if arrived else _why(told.get("err_code", "")).value,
        )

    def _time(self, given: str, now: datetime) -> datetime:
        """Return a time of the push's clock; that of arrival if it cannot be read or lies ahead."""
        clock = timezone(timedelta(hours=self.settings.utc_offset_hours))
        try:
            at = datetime.strptime(given, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock)
            found = at.astimezone(UTC)
        except (ValueError, OverflowError):
            return now
        return min(found, now)


def _flat(value: Any) -> str:
    """Return a field as text: numbers are text already, ``true`` is a word."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else " ".join(leaves(value))


def _hashed(*parts: str) -> str:
    joined = "\n".join(parts).encode("utf-8", "replace")
    return f"h{sha256(joined).hexdigest()[:24]}"


def _why(code: str) -> Reason:
    return next((why for start, why in _WHY.items() if code.startswith(start)), Reason.UNKNOWN)
