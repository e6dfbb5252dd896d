"""What Slack delivers: an event in JSON, or a press or a command as a form; values are text.

https://docs.slack.dev/apis/events-api/ and https://docs.slack.dev/interactivity/
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from adapters._common.fields import inside, many, word
from adapters._common.jsonin import MAX_BYTES, read_json, read_object
from adapters._common.wordin import fit
from router.channel.contract import Malformed

_STAMP = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,6}))?")
_MOST_FIELDS = 200


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What frames an event. ``ours`` are the bot users of this app that the event is for."""

    type: str
    team: str
    app: str
    event_id: str
    ours: frozenset[str]
    event: Mapping[str, Any]


def read_body(body: bytes) -> Mapping[str, Any]:
    """Return the fields of a body in JSON, of the ``payload`` of a form, or of a plain form."""
    if body.lstrip()[:1] == b"{":
        return read_object(body)
    if len(body) > MAX_BYTES:
        raise Malformed(f"the body has {len(body)} bytes, expected at most {MAX_BYTES}")
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise Malformed("the form has too many fields") from error
    form = {fit(name): fit(value) for name, value in pairs}
    if "payload" not in form:
        return form
    payload = read_json(form["payload"].encode("utf-8", "replace"))
    if not isinstance(payload, dict):
        raise Malformed("the payload is JSON but not an object")
    return payload


def read_envelope(fields: Mapping[str, Any]) -> Envelope:
    """Return the event that ``fields`` hold, or raise `Malformed`."""
    envelope = Envelope(
        type=word(fields, "type"),
        team=word(fields, "team_id"),
        app=word(fields, "api_app_id"),
        event_id=word(fields, "event_id"),
        ours=frozenset(
            word(each, "user_id")
            for each in many(fields, "authorizations")
            if isinstance(each, dict) and each.get("is_bot") is True
        ),
        event=inside(fields, "event"),
    )
    if not (envelope.team and envelope.event_id and word(envelope.event, "type")):
        raise Malformed("an event_callback without team_id, event_id or event.type")
    return envelope


def stamp(given: str, name: str) -> datetime:
    """Return a time such as 1760000301.000200, which is also a message's id, or `Malformed`."""
    found = _STAMP.fullmatch(given)
    if found is None:
        raise Malformed(f"{name} must be seconds since 1970, such as 1760000301.000200")
    microseconds = int((found[2] or "0").ljust(6, "0"))
    return datetime.fromtimestamp(int(found[1]), UTC) + timedelta(microseconds=microseconds)
