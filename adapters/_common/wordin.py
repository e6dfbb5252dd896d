"""Words from outside made fit to keep, and all the words that a payload holds."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def fit(text: str) -> str:
    """Return ``text`` with what no database or encoder takes replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text)


def leaves(value: Any) -> Iterator[str]:
    """Yield every non-blank text in nested objects and lists, in order."""
    match value:
        case str():
            if value.strip():
                yield value
        case Mapping():
            for held in value.values():
                yield from leaves(held)
        case list() | tuple():
            for held in value:
                yield from leaves(held)
