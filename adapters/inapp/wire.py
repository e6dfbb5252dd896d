"""The payloads of our in-app scheme as structs; unknown fields are passed over."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from adapters._common.jsonin import read_object
from router.channel.contract import Malformed

F = TypeVar("F", bound=Struct)
Key = Annotated[str, Meta(max_length=128)]
MAX_BYTES = 256 * 1024


class Up(Struct):
    """What the app publishes to ``…/up``: a message (``type``) or a control (``op``)."""

    v: str = "1"
    client_msg_id: Key = ""
    type: Key = ""
    op: Key = ""
    text: str = ""
    url: str = ""
    name: str = ""
    mime: Key = ""
    ts: Key = ""
    reply_to: Key = ""
    message_id: Key = ""
    latitude: Key = ""
    longitude: Key = ""
    payload: str = ""


class State(Struct):
    """What stands in ``…/presence``, also as the app's last will."""

    state: Key = ""
    ts: Key = ""


def read(body: bytes, kind: type[F]) -> F:
    """Return a payload as ``kind``, or raise `Malformed` with the path of the fault."""
    given: Any = read_object(body, max_bytes=MAX_BYTES)
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from error
