"""What WebVTT and SubRip share: times, line ends, and the joining of broken lines."""

import re

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$", re.ASCII)
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_WIDE_BREAK = re.compile(rf"(?<=[{_WIDE}])\n(?=[{_WIDE}])")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\d[\d:.]*>")
ARROW = "-->"


def lines_of(text: str) -> list[str]:
    """Return the lines of a file: without a byte order mark, whatever ends them."""
    plain = text.removeprefix("\ufeff").replace("\x00", "\ufffd")
    return plain.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def timing(line: str) -> tuple[int, int] | None:
    """Return begin and end of a timing line in milliseconds; None if it cannot be read."""
    found = _TIMING.match(line)
    if found is None:
        return None
    parts = found.groups()
    return _milliseconds(parts[:4]), _milliseconds(parts[4:])


def without_tags(text: str) -> str:
    """Return ``text`` without markup; a ``<`` that opens no tag is somebody's word."""
    return _TAG.sub("", text)


def joined(text: str) -> str:
    """Return ``text`` on one line; no space comes between two Chinese characters."""
    return " ".join(_WIDE_BREAK.sub("", text).split())


def _milliseconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int(fraction.ljust(3, "0"))
