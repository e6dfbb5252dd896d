"""Instagram: one adapter is one professional account."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from adapters._common.answers import said
from adapters._common.calls import with_query
from adapters._common.fields import word
from adapters._common.meta import challenged, proven, read_entries
from adapters._common.metachat import events_in
from adapters._common.metasend import Sends, outcome_of
from adapters._common.outgoing import bearer
from adapters.instagram.comments import event_of
from adapters.instagram.settings import CAPABILITIES, Settings
from router.channel.contract import (
    Decoded,
    Event,
    HttpCall,
    Identified,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
)
from router.channel.text import utf8_bytes

_OBJECT = "instagram"
_FIELDS = frozenset({"comments", "live_comments", "mentions"})


@dataclass(frozen=True, slots=True)
class Instagram:
    """One professional account."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        return proven(
            request, app_secret=self.settings.app_secret, verify_token=self.settings.verify_token
        )

    def handshake(self, request: Trusted) -> Response | None:
        return challenged(request)

    def decode(self, request: Trusted) -> Decoded:
        """Return every message, receipt and comment; a delivery for others alone is `Malformed`."""
        events: list[Event] = []
        foreign = 0
        entries = read_entries(request.body, _OBJECT)
        for entry in entries:
            if self.settings.account_id not in ("", entry.id):
                foreign += 1
                events.append(Ignored(kind="another_account"))
                continue
            events.extend(events_in(entry.fields, own=entry.id))
            for field, value in entry.changes():
                if field in _FIELDS:
                    events.append(event_of(entry, field, value))
                else:
                    events.append(Ignored(kind=f"field.{field or 'unnamed'}"))
        if foreign == len(entries):
            raise Malformed("the delivery is for another account")
        return Decoded(events=tuple(events))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        sends = Sends(
            root=self.settings.root,
            max_text=CAPABILITIES.max_text,
            measure=utf8_bytes,
            media=CAPABILITIES.media_out,
            below="replies",
            typed=False,
            human_agent=self.settings.human_agent,
        )
        return sends.calls_for(message)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the access token of the settings, which the platform does not renew."""
        return bearer(call, self.settings.access_token)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the question for a name; nobody else is told of (fields unverified)."""
        if not external_id.isdigit():
            return None
        url = f"{self.settings.root}/{quote(external_id, safe='')}"
        return HttpCall(method="GET", url=with_query(url, fields="name,username"), note="profile")

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return a name; the platform tells neither a number nor an address."""
        answer = said(reply)
        name = word(answer, "name", "username")
        if not name:
            return outcome_of(reply)
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=(),
            sender_name=name,
        )
