"""WhatsApp Cloud API: one adapter is one business phone number."""

from dataclasses import dataclass
from urllib.parse import quote

from adapters._common.answers import said
from adapters._common.calls import post_file
from adapters._common.fields import word
from adapters._common.meta import challenged, proven, read_entries
from adapters._common.outgoing import bearer
from adapters.whatsapp.inbound import events_of
from adapters.whatsapp.outbound import calls_for, outcome_of
from adapters.whatsapp.settings import Settings
from adapters.whatsapp.wire import OBJECT, Change, read_change
from router.channel.contract import (
    Accepted,
    Decoded,
    Elsewhere,
    Event,
    HttpCall,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
)
from router.domain.content import Media


@dataclass(frozen=True, slots=True)
class WhatsApp:
    """One business phone number."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        return proven(
            request, app_secret=self.settings.app_secret, verify_token=self.settings.verify_token
        )

    def handshake(self, request: Trusted) -> Response | None:
        return challenged(request)

    def decode(self, request: Trusted) -> Decoded:
        """Return every message and receipt; a delivery for other numbers alone is `Malformed`."""
        events: list[Event] = []
        ours = foreign = 0
        for entry in read_entries(request.body, OBJECT):
            for field, value in entry.changes():
                change = read_change(value)
                if field != "messages":
                    events.append(Ignored(kind=f"field.{field or 'unnamed'}"))
                elif self._is_foreign(change):
                    foreign += 1
                    events.append(Ignored(kind="another_number"))
                else:
                    ours += 1
                    events.extend(events_of(change))
        if foreign and not ours:
            raise Malformed("the delivery is for another phone_number_id")
        return Decoded(events=tuple(events))

    def _is_foreign(self, change: Change) -> bool:
        """Return whether a change is for another number; what is no id of a number names none."""
        own = self.settings.phone_number_id
        return own.isdigit() and change.number not in ("", own)

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, self.settings)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the access token of the settings, which the platform does not renew."""
        return bearer(call, self.settings.access_token)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the upload of a file, which Meta keeps for a month (unverified)."""
        return post_file(
            f"{self.settings.root}/{self.settings.phone_number_id}/media",
            media,
            data,
            part="file",
            entropy=moment.entropy,
            fields={"messaging_product": "whatsapp", "type": media.mime},
        )

    def read_upload(self, reply: Reply) -> str | Outcome:
        return word(said(reply), "id") or outcome_of(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the question where a file is."""
        if not media.ref:
            return None
        return HttpCall(
            method="GET", url=f"{self.settings.root}/{quote(media.ref, safe='')}", note="fetch"
        )

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Return where the file is, for a few minutes and only with the access token."""
        outcome = outcome_of(reply)
        link = word(said(reply), "url")
        if not isinstance(outcome, Accepted) or not link:
            return outcome
        if not link.startswith(("https://", f"{self.settings.api_base}/")):
            return Refused(reason=Reason.UNKNOWN, why="the file has no safe address")
        return Elsewhere(link=link, signed=True)
