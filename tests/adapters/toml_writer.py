"""Writes a case as TOML: values first, then tables, bodies as they would be written by hand."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from router.channel.shapes import time_text

_INLINE = frozenset(
    {
        *("settings", "content", "send", "call", "signed", "reply", "outcome"),
        *("headers", "media", "bell"),
    }
)
_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F))) - {"\t"}


def written(told: Mapping[str, Any], *, opening: str = "") -> str:
    """Return ``told`` as a TOML document that starts with the comment ``opening``."""
    lines = [opening.rstrip("\n")] if opening.strip() else []
    lines.extend(_table("", told))
    return "\n".join(lines).strip("\n") + "\n"


def opening_comment(text: str) -> str:
    """Return the comment lines that a document starts with."""
    lines = text.splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(lines[:count])


def _table(path: str, told: Mapping[str, Any]) -> Iterator[str]:
    later = {key: value for key, value in told.items() if _stands_apart(key, value)}
    for key, value in told.items():
        if key not in later:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in later.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            yield from ("", f"[{name}]")
            yield from _table(name, value)
        else:
            for each in value:
                yield from ("", f"[[{name}]]")
                yield from _table(name, each)


def _stands_apart(key: str, value: Any) -> bool:
    if key in _INLINE:
        return False
    tables = isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)
    return isinstance(value, Mapping) or (tables and key in {"events", "exchange", "steps"})


def _key(key: str) -> str:
    bare = key.replace("-", "").replace("_", "").isalnum() and key.isascii()
    return key if bare else json.dumps(key)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case datetime():
            return time_text(value)
        case Mapping():
            inside = ", ".join(f"{_key(key)} = {_value(held)}" for key, held in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(_value(each) for each in value)}]"
        case _:
            return repr(value)


def _text(text: str) -> str:
    controls = _CONTROLS & set(text)
    if '"' in text or "\\" in text or "\n" in text:
        if not controls and "'" not in text:
            return f"'{text}'"
        if controls <= {"\n"} and "'''" not in text and not text.endswith("'"):
            return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
