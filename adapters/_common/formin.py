"""Form bodies from outside, URL-encoded or multipart, as fields of raw bytes and named files."""

from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from router.channel.contract import Malformed

MAX_BYTES = 26 * 1024 * 1024
_MOST_FIELDS = 500
BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a form: what it is called, and its bytes."""

    field: str
    name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of a form; of a name that comes twice the first counts."""

    fields: Mapping[str, bytes]
    files: tuple[File, ...] = ()

    def text(self, name: str, charset: str = "utf-8") -> str:
        """Return a field as text, what cannot be read replaced; empty if absent."""
        return readable(self.fields.get(name, b""), charset)


def readable(data: bytes, charset: str) -> str:
    """Return ``data`` as text in ``charset``, or UTF-8 if nobody knows that one."""
    try:
        return data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError, TypeError):
        return data.decode("utf-8", "replace")


def read_form(content_type: str, body: bytes) -> Form:
    """Return the form in ``body``, or raise `Malformed`."""
    if len(body) > MAX_BYTES:
        raise Malformed(f"the body has {len(body)} bytes, expected at most {MAX_BYTES}")
    if content_type.strip().lower().startswith("multipart/form-data"):
        return _multipart(content_type, body)
    pairs = body.split(b"&")
    if len(pairs) > _MOST_FIELDS:
        raise Malformed(f"the form has more than {_MOST_FIELDS} fields")
    fields: dict[str, bytes] = {}
    for pair in pairs:
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        fields.setdefault(readable(unquote_to_bytes(name), "utf-8"), unquote_to_bytes(value))
    return Form(fields=MappingProxyType(fields))


def _multipart(content_type: str, body: bytes) -> Form:
    if not content_type.isascii() or not content_type.isprintable():
        raise Malformed("the content type is none")
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    try:
        parsed = BytesParser(policy=policy.compat32).parsebytes(head + body)
        parts = parsed.get_payload() if parsed.is_multipart() else []
        return _collected([part for part in parts if isinstance(part, Message)])
    except BROKEN as error:
        raise Malformed(f"the form cannot be read: {type(error).__name__}") from error


def _collected(parts: list[Message]) -> Form:
    if not parts or len(parts) > _MOST_FIELDS:
        raise Malformed("the form has no fields, or too many")
    fields: dict[str, bytes] = {}
    files: list[File] = []
    for part in parts:
        given = part.get_param("name", "", header="content-disposition")
        name, data = str(given), part.get_payload(decode=True)
        content = data if isinstance(data, bytes) else b""
        filename = part.get_filename()
        if filename is None:
            fields.setdefault(name, content)
        else:
            mime = part.get_content_type()
            files.append(File(field=name, name=filename, mime=mime, data=content))
    return Form(fields=MappingProxyType(fields), files=tuple(files))
