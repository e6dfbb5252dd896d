"""Mutations of what platforms send: of bytes, and of the structure that the bytes hold.

Every mutation is decided by one number, so a list of numbers is a whole history that can be
shortened and told again.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as ET

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

Path = tuple[Any, tuple[Any, ...]]

TEXTS = (
    *("", " ", "\x00", "\u202e", "\ufeff", "\ufffd", "\U00020bb7", "👨‍👩‍👧‍👦", "é" * 300),
    *(
        "\ud800",
        "\udc00x",
        "a\ud83d",
        "我要投诉" * 2000,
        "{",
        "[]",
        '{"a":{"b":[1]}}',
        "null",
        "true",
    ),
    *("0", "-1", "1e400", "NaN", "9007199254740993", "18446744073709551616", "9" * 400, "１２３"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2025-02-30 25:61:61", "Thu Jan 1"),
    *(
        "<x>&amp;</x>",
        "&#x0;",
        "]]>",
        "http://[",
        "https://host:99999/",
        "data:;base64,%",
        "a\nb: c",
    ),
    *("=?utf-8?b?////?=", "=?x?q?=ZZ?=", "../../etc", "%00%ff%", "\r\n\r\n", "'\"\\", "@" * 70_000),
)
VALUES = (
    *(None, True, False, 0, -1, 0.5, 1e300, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, [], {}, [[]]),
    *([None], {"": ""}, [1, "a", {}], {"type": {"type": "type"}}, 253402300800, 253402300800000),
)
PIECES = (
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"{", b"}", b"[" * 50, b'"'),
    *(b"<", b">", b"]]>", b"<!DOCTYPE x>", b'<!DOCTYPE x [<!ENTITY a "b">]>', b"&#xD800;", b"&#0;"),
    *(b"&x;", b"null", b"NaN", b"1e999", b"-1", b"9" * 30, b"0" * 5000, b'{"a":1}', b"true", b"%"),
    *(
        b"=",
        b"&",
        b"\r\n",
        b"\r\n--",
        b"\xe3\x80\x80",
        b"\xf0\x9f",
        b"\xf0\x9f\x98\x80",
        b";",
        b",",
    ),
)
CODECS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "gb18030", "big5", "latin-1", "cp037")
_DEEP = 60
_PADDED = (1 << 10, 1 << 16, 1 << 20, 3 << 20)
_GROWTH = 2_000_000  # bytes up to which a body is mutated again


# ----- bodies ------------------------------------------------------------------------------------


def mangled(body: bytes, change: int) -> bytes:
    """Return ``body`` after the mutation that ``change`` decides."""
    chance = Random(change)  # noqa: S311  a repeatable choice, no secret
    if len(body) > _GROWTH:
        return body[: chance.randrange(_GROWTH)]
    kinds: Sequence[Callable[[bytes, Random], bytes | None]] = (
        *(_json, _json, _json, _xml, _form, _parts),
        *(_cut, _pieced, _recoded, _padded),
    )
    first = chance.randrange(len(kinds))
    for kind in (*kinds[first:], *kinds[:first]):  # not every body has every structure
        made = kind(body, chance)
        if made is not None:
            return made
    return body


def _cut(body: bytes, chance: Random) -> bytes:
    start = chance.randint(0, len(body))
    return body[:start] + body[start + chance.randint(0, max(1, len(body) // 3)) :]


def _pieced(body: bytes, chance: Random) -> bytes:
    start, piece = chance.randint(0, len(body)), chance.choice(PIECES)
    return body[:start] + piece + body[start + chance.randint(0, 4) :]


def _recoded(body: bytes, chance: Random) -> bytes | None:
    if not body:
        return None
    return body.decode("utf-8", "replace").encode(chance.choice(CODECS), "replace")


def _padded(body: bytes, chance: Random) -> bytes:
    size = chance.choice(_PADDED) if chance.random() < 0.1 else chance.choice(_PADDED[:1])
    filler = chance.choice((b" ", b"\n", b"a", b"\x00", b"[")) * size
    return body + filler if chance.random() < 0.5 else filler + body


def _json(body: bytes, chance: Random) -> bytes | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    changed = changed_json(read, chance)
    try:
        return json.dumps(changed, ensure_ascii=chance.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )
    except (RecursionError, ValueError):
        return None


def _form(body: bytes, chance: Random) -> bytes | None:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except (UnicodeDecodeError, ValueError):
        return None
    return urlencode(changed_pairs(pairs, chance), errors="replace").encode()


def _parts(body: bytes, chance: Random) -> bytes | None:
    """Drop, double or exchange lines: the structure of a mail, of parts and of event streams."""
    lines = body.split(b"\r\n") if b"\r\n" in body else body.split(b"\n")
    if len(lines) < 3:
        return None
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[other])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            word = chance.choice(TEXTS).encode("utf-8", "replace")
            name, colon, _ = lines[at].partition(b":")
            lines[at] = name + colon + b" " + word if colon else word
    return b"\r\n".join(lines) if b"\r\n" in body else b"\n".join(lines)


def _xml(body: bytes, chance: Random) -> bytes | None:
    if not body.lstrip().startswith(b"<"):
        return None
    try:
        root = fromstring(body)
    except (ET.ParseError, DefusedXmlException, ValueError):
        return None
    every = list(root.iter())
    at = chance.choice(every)
    match chance.randrange(6):
        case 0:
            at.text = _spoken(chance)
        case 1:
            at.tag = chance.choice(every).tag
        case 2:
            at.append(deepcopy(chance.choice(every)))
        case 3:
            for child in list(at)[:1]:
                at.remove(child)
        case 4:
            at.set(chance.choice(("xmlns", "a", "xml:space")), _spoken(chance))
        case _:
            for _ in range(chance.randint(1, _DEEP)):
                at = ET.SubElement(at, "x")
    return ET.tostring(root, encoding="utf-8")


def _spoken(chance: Random) -> str:
    return re.sub("[\x00\ud800-\udfff]", "?", chance.choice(TEXTS))


# ----- JSON values, pairs ------------------------------------------------------------------------


def changed_json(value: Any, chance: Random) -> Any:
    """Return ``value`` with one place in it changed, also inside of texts that hold JSON."""
    places = list(_places(value))
    if not places:
        return _odd(chance)
    container, key = chance.choice(places)
    held = container[key]
    inner = _opened(held) if chance.random() < 0.7 else None
    if inner is not None:
        container[key] = json.dumps(changed_json(inner, chance))
        return value
    _change(container, key, held, places, chance)
    return value


def _change(
    container: Any, key: Any, held: Any, places: list[tuple[Any, Any]], chance: Random
) -> None:
    match chance.randrange(9):
        case 0 | 1 | 2:
            container[key] = _odd(chance)
        case 3:
            del container[key]
        case 4:
            other, name = chance.choice(places)
            container[key] = deepcopy(other[name])
        case 5:
            container[key] = [held, deepcopy(held)]
        case 6:
            container[key] = json.dumps(held)
        case 7 if isinstance(container, dict):
            container[chance.choice(("", "type", key + "x", key.upper(), "\ud800"))] = (
                container.pop(key)
            )
        case _:
            for _ in range(chance.randint(1, _DEEP)):
                held = {key: held} if isinstance(key, str) else [held]
            container[key] = held


def _odd(chance: Random) -> Any:
    return chance.choice(TEXTS) if chance.random() < 0.5 else deepcopy(chance.choice(VALUES))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        keys = (
            list(each)
            if isinstance(each, dict)
            else range(len(each))
            if isinstance(each, list)
            else ()
        )
        for key in keys:
            yield each, key
            waiting.append(each[key])


def _opened(held: Any) -> Any:
    if not isinstance(held, str) or held[:1] not in ("{", "["):
        return None
    try:
        return json.loads(held)
    except (ValueError, RecursionError):
        return None


def changed_pairs(pairs: Sequence[tuple[str, str]], chance: Random) -> list[tuple[str, str]]:
    """Return names and values with one of them dropped, doubled or changed."""
    made = list(pairs) or [("a", "b")]
    at = chance.randrange(len(made))
    name, value = made[at]
    match chance.randrange(5):
        case 0:
            del made[at]
        case 1:
            made.insert(at, (name, chance.choice(TEXTS)))
        case 2:
            inner = _opened(value)
            changed = _odd(chance) if inner is None else changed_json(inner, chance)
            made[at] = (name, json.dumps(changed))
        case 3:
            made[at] = (chance.choice(("", "sign", name + "[]", name.upper())), value)
        case _:
            made[at] = (name, chance.choice(TEXTS))
    return made


def changed_headers(headers: Mapping[str, str], chance: Random) -> dict[str, str]:
    """Return headers with one of them dropped or changed; names stay in lower case."""
    made = dict(changed_pairs(list(headers.items()), chance))
    kinds = ("application/json", "text/xml; charset=utf-16", "multipart/form-data; boundary=x", "")
    if chance.random() < 0.3:
        made["content-type"] = chance.choice(kinds)
    return {name.lower(): value.replace("\r", "").replace("\n", "") for name, value in made.items()}
