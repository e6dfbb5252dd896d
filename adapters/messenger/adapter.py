"""Facebook Messenger: one adapter is one page."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from adapters._common.answers import said
from adapters._common.calls import post_file, raw_json, with_query
from adapters._common.fields import word
from adapters._common.meta import challenged, proven, read_entries
from adapters._common.metachat import events_in
from adapters._common.metasend import KINDS, Sends, outcome_of
from adapters._common.outgoing import bearer
from adapters.messenger.feed import event_of
from adapters.messenger.settings import CAPABILITIES, Settings
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
from router.channel.text import characters
from router.domain.content import Media

_OBJECT = "page"
_FIELDS = frozenset({"feed"})


@dataclass(frozen=True, slots=True)
class Messenger:
    """One page."""

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
            if self.settings.page_id not in ("", entry.id):
                foreign += 1
                events.append(Ignored(kind="another_page"))
                continue
            events.extend(events_in(entry.fields, own=entry.id))
            for field, value in entry.changes():
                if field in _FIELDS:
                    events.append(event_of(entry, value))
                else:
                    events.append(Ignored(kind=f"field.{field or 'unnamed'}"))
        if foreign == len(entries):
            raise Malformed("the delivery is for another page")
        return Decoded(events=tuple(events))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        sends = Sends(
            root=self.settings.root,
            max_text=CAPABILITIES.max_text,
            measure=characters,
            media=CAPABILITIES.media_out,
            below="comments",
            typed=True,
            human_agent=self.settings.human_agent,
        )
        return sends.calls_for(message)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the access token of the settings, which the platform does not renew."""
        return bearer(call, self.settings.access_token)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the upload of a file, which is then sent by its id (unverified)."""
        payload = {"attachment": {"type": KINDS[media.kind], "payload": {"is_reusable": True}}}
        return post_file(
            f"{self.settings.root}/me/message_attachments",
            media,
            data,
            part="filedata",
            entropy=moment.entropy,
            fields={"message": raw_json(payload).decode()},
        )

    def read_upload(self, reply: Reply) -> str | Outcome:
        return word(said(reply), "attachment_id") or outcome_of(reply)

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the question for a name; nobody else is told of (fields unverified)."""
        if not external_id.isdigit():
            return None
        url = f"{self.settings.root}/{quote(external_id, safe='')}"
        return HttpCall(
            method="GET", url=with_query(url, fields="name,first_name,last_name"), note="profile"
        )

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return a name; the platform tells neither a number nor an address."""
        answer = said(reply)
        name = word(answer, "name") or " ".join(
            part for part in (word(answer, "first_name"), word(answer, "last_name")) if part
        )
        if not name:
            return outcome_of(reply)
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=(),
            sender_name=name,
        )
