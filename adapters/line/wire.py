"""What LINE delivers: events of one account; every value is text.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from adapters._common.fields import inside, many, moment_of, word
from adapters._common.jsonin import read_object
from router.channel.contract import Malformed


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of one event; what happened stands in ``fields``.

    ``room`` is the group or room, empty where one person alone talks to us. In a group LINE may
    keep back who spoke; then the room stands for the speaker.
    """

    type: str
    fields: Mapping[str, Any]
    event_id: str
    at: datetime
    user: str
    room: str
    reply_token: str
    standby: bool

    @property
    def sender(self) -> str:
        """Return who did it, or raise `Malformed`."""
        if not (self.user or self.room):
            raise Malformed(f"an event {self.type} without source.userId")
        return self.user or self.room


def read_items(body: bytes, destination: str) -> tuple[Item, ...]:
    """Return the events in ``body``, none when the console tries the address, or `Malformed`."""
    envelope = read_object(body)
    if not isinstance(envelope.get("events"), list):
        raise Malformed("not a delivery as LINE documents it: events is absent")
    if destination and word(envelope, "destination") != destination:
        raise Malformed("the delivery is for another account")
    return tuple(_item(fields) for fields in many(envelope, "events"))


def _item(fields: Any) -> Item:
    at, source = moment_of(word(fields, "timestamp")), inside(fields, "source")
    kind, event_id = word(fields, "type"), word(fields, "webhookEventId")
    if at is None or not (kind and event_id):
        raise Malformed("an event without type, webhookEventId or timestamp")
    return Item(
        type=kind,
        fields=fields,
        event_id=event_id,
        at=at,
        user=word(source, "userId"),
        room=word(source, "groupId", "roomId"),
        reply_token=word(fields, "replyToken"),
        standby=word(fields, "mode") == "standby",
    )
