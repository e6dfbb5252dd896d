"""What was uploaded: one file and its meta, out of multipart, JSON or a bare text body."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Literal, TypeVar

import msgspec

from adapters._common.jsonin import read_json
from adapters.transcript.wire import About, Document
from router.channel.contract import Malformed, Response, Trusted

MAX_BODY = 10 * 1024 * 1024
_CHARSETS = frozenset(
    {
        *("utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be"),
        *("gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"),
        *("iso-8859-1", "latin-1", "windows-1252"),
    }
)
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")
_FIXES = {
    "call_id": "send the phone system's id of the call, 1 to 128 characters",
    "started_at": "send RFC 3339 with a time zone, such as 2025-10-09T09:00:00Z",
    "begin_ms": "send whole milliseconds since the start of the call",
    "end_ms": "send whole milliseconds since the start of the call",
    "direction": "send inbound or outbound",
    "role": "send agent, customer, bot, system or unknown",
    "participant": "send the id of one of the participants",
    "text": "send the words as text",
    "schema": "send pam.transcript/1",
}
S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The words of a call as they came; ``kind`` is what its type or name says, "" if nothing."""

    data: bytes
    text: str
    kind: Literal["json", "vtt", "srt", ""]


def refused(status: int, field: str, message: str, fix: str) -> Malformed:
    """Return the error to raise; its answer names the field and what would mend it."""
    said = {"error": message, "field": field, "fix": fix}
    answer = Response(
        status=status, body=msgspec.json.encode(said), content_type="application/json"
    )
    return Malformed(f"{field}: {message}", answer=answer)


def struct(data: bytes, kind: type[S], *, where: str) -> S:
    """Return JSON as ``kind``, or raise `Malformed` with the path of the fault."""
    try:
        given = read_json(data, max_bytes=MAX_BODY)
    except Malformed as error:
        raise refused(400, where, str(error), "send one JSON object in UTF-8") from error
    return _converted(given, kind, where)


def _converted(given: Any, kind: type[S], where: str) -> S:
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(error, where) from error
    except (ValueError, OverflowError) as error:  # a time beyond the year 9999
        raise refused(400, "started_at", str(error), _FIXES["started_at"]) from error


def _misfit(error: msgspec.ValidationError, where: str) -> Malformed:
    path = _PATH.search(str(error))
    field = path[1] if path else where
    missing = _MISSING.search(str(error))
    last = missing[1] if missing else re.sub(r"\[[^\]]*\]", "", field).rsplit(".", 1)[-1]
    fix = _FIXES.get(last, "see the transcript adapter's README")
    return refused(400, field, _PATH.sub("", str(error)), fix)


def is_json(file: File) -> bool:
    """Return whether the file is JSON, by its type, its name or its first character."""
    return file.kind == "json" or (not file.kind and file.text.lstrip("\ufeff \r\n\t")[:1] == "{")


def strangers(file: File) -> tuple[str, ...]:
    """Return the names in a JSON file that ``pam.transcript/1`` does not have, for the count."""
    given = read_json(file.data, max_bytes=MAX_BODY) if is_json(file) else {}
    known = {field.encode_name for field in msgspec.structs.fields(Document)}
    return tuple(sorted(name[:64] for name in set(given) - known))


def read_upload(request: Trusted) -> tuple[File, About]:
    """Return the file and what is said about it; raises `Malformed` with 400, 413 or 415."""
    if len(request.body) > MAX_BODY:
        raise refused(413, "file", "larger than 10 MiB", "send the call in several parts")
    declared = request.request.headers.get("content-type", "")
    outer = _outer(declared, request.body)
    if outer.get_content_type() == "multipart/form-data":
        return _parts(outer)
    about = _meta_of_query(request)
    return _file(request.body, outer.get_content_type(), outer.get_content_charset(), ""), about


def _outer(declared: str, body: bytes) -> EmailMessage:
    """Return the body as the mail parser sees it; only multipart is taken apart."""
    if not declared.isascii() or not declared.isprintable():
        raise refused(415, "content-type", "not a content type", "send multipart/form-data")
    head = f"Content-Type: {declared or 'application/octet-stream'}\r\n\r\n".encode()
    is_form = declared.strip().lower().startswith("multipart/form-data")
    try:
        found = BytesParser(policy=policy.HTTP).parsebytes(head + (body if is_form else b""))
        found.get_content_type()
    except (MessageError, ValueError, LookupError, RecursionError) as error:
        raise refused(400, "body", "multipart cannot be read", "check the boundary") from error
    if is_form and (found.defects or not found.is_multipart()):
        fix = "send every part and the closing boundary"
        raise refused(400, "body", "multipart is cut short or has no boundary", fix)
    return found


def _parts(form: EmailMessage) -> tuple[File, About]:
    parts: dict[str, EmailMessage] = {}
    for part in form.iter_parts() if form.is_multipart() else ():
        name = str(part.get_param("name", "", header="content-disposition"))
        if name in parts:
            raise refused(400, name[:40], "sent twice", "send one file and one meta")
        if isinstance(part, EmailMessage):
            parts[name] = part
    if "file" not in parts:
        raise refused(400, "file", "missing", "send the transcript as the form field file")
    about = About()
    if "meta" in parts:
        about = struct(_payload(parts["meta"], "meta"), About, where="meta")
    file = parts["file"]
    name = (file.get_filename() or "").lower()
    data = _payload(file, "file")
    return _file(data, file.get_content_type(), file.get_content_charset(), name), about


def _payload(part: EmailMessage, name: str) -> bytes:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        raise refused(400, name, "is itself multipart", "send it as one plain part")
    return data


def _meta_of_query(request: Trusted) -> About:
    given: Mapping[str, str] = dict(request.request.query)
    return _converted(given, About, "query")


def _file(data: bytes, mime: str, charset: str | None, name: str) -> File:
    kind: Literal["json", "vtt", "srt", ""] = ""
    if mime == "application/json" or name.endswith(".json"):
        kind = "json"
    elif mime == "text/vtt" or name.endswith(".vtt"):
        kind = "vtt"
    elif mime in ("application/x-subrip", "text/srt", "text/x-srt") or name.endswith(".srt"):
        kind = "srt"
    return File(data=data, text=_decoded(data, charset or "utf-8"), kind=kind)


def _decoded(data: bytes, charset: str) -> str:
    if charset not in _CHARSETS:
        fix = "send UTF-8"
        raise refused(415, "charset", f"{charset[:40]!r} is not supported", fix)
    try:
        return data.decode(charset)
    except UnicodeError as error:
        fix = "send UTF-8, or declare the charset in the content type"
        raise refused(400, "file", f"not valid {charset}", fix) from error
