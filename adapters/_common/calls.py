"""What calls out look like on most platforms: raw JSON, a longer query, a form with a file."""

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from router.channel.contract import HttpCall
from router.domain.content import Media

JSON_HEADERS = (("content-type", "application/json; charset=utf-8"),)
_UNSAFE_NAME = re.compile(r'[\x00-\x1f"\\\x7f]')


def raw_json(value: Any) -> bytes:
    """Return JSON in raw UTF-8: some platforms show the customer backslash escapes as they are."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def with_query(url: str, **parameters: str) -> str:
    """Return ``url`` with more query parameters."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def post_json(url: str, value: Any, *, note: str = "") -> HttpCall:
    """Return a POST of ``value`` as JSON."""
    return HttpCall(method="POST", url=url, headers=JSON_HEADERS, body=raw_json(value), note=note)


def post_file(
    url: str, media: Media, data: bytes, *, part: str, entropy: bytes, fields: dict[str, str]
) -> HttpCall:
    """Return the upload of ``data`` as the file ``part`` of a form, after its plain ``fields``.

    ``entropy`` makes the boundary, which therefore does not occur in the file.
    """
    boundary = f"mainstem-{entropy.hex()}"
    name = quote(_UNSAFE_NAME.sub("_", media.name) or media.kind.value, safe=" .-_()")
    mime = _UNSAFE_NAME.sub("", media.mime) or "application/octet-stream"
    plain = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    head = (
        f"{plain}--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{part}"; filename="{name}"\r\n'
        f"Content-Type: {mime}\r\n\r\n"
    )
    return HttpCall(
        method="POST",
        url=url,
        headers=(("content-type", f"multipart/form-data; boundary={boundary}"),),
        body=head.encode("utf-8", "replace") + data + f"\r\n--{boundary}--\r\n".encode(),
        note="upload",
    )
