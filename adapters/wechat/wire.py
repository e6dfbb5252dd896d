"""What WeChat pushes, as one struct: XML and JSON have the same names, and every value is text.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Custom_Menu_Push_Events.html
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from adapters._common.jsonin import read_object
from adapters._common.xmlin import read_xml
from router.channel.contract import Malformed

Nested: TypeAlias = str | dict[str, Any]


class Push(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One message or event; what it does not have is empty."""

    from_user_name: str
    create_time: str
    msg_type: str
    to_user_name: str = ""
    msg_id: str = ""
    content: str = ""
    menu_choice: str = msgspec.field(name="bizmsgmenuid", default="")
    pic_url: str = ""
    media_id: str = ""
    format: str = ""
    recognition: str = ""
    latitude: str = msgspec.field(name="Location_X", default="")
    longitude: str = msgspec.field(name="Location_Y", default="")
    label: str = ""
    title: str = ""
    description: str = ""
    url: str = ""
    app_id: str = ""
    page_path: str = ""
    thumb_url: str = ""
    event: str = ""
    event_key: str = ""
    job_id: str = msgspec.field(name="MsgID", default="")  # the platform's own spelling
    status: str = ""
    session_from: str = ""
    scan_code_info: Nested = ""
    send_location_info: Nested = ""


#: Names that frame a message and say nothing of their own.
FRAME = frozenset(
    {
        *("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "MsgDataId", "Idx"),
        *("MediaId", "ThumbMediaId", "Encrypt", "Scale", "Format"),
    }
)


def read_body(body: bytes) -> Mapping[str, Any]:
    """Return the fields of an XML or JSON body, or raise `Malformed`."""
    return read_object(body) if body.lstrip()[:1] == b"{" else read_xml(body)


def read_push(fields: Mapping[str, Any]) -> Push:
    """Return the push that ``fields`` hold, or raise `Malformed`."""
    if "Encrypt" in fields and "MsgType" not in fields:
        raise Malformed("the body is encrypted: set encoding_aes_key, and mode to safe")
    try:
        push = msgspec.convert(fields, Push)
    except msgspec.ValidationError as error:
        raise Malformed(f"not a push as WeChat documents it: {error}") from error
    if not push.from_user_name:
        raise Malformed("FromUserName is empty")
    return push
