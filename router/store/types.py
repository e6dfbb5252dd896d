"""Column types that both databases agree on."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

#: What SQLite's texts of times lack.
_UTC = "+00:00"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """Return ``text`` as both databases can hold it.

    PostgreSQL holds no NUL and UTF-8 no half of a surrogate pair; a customer's message may bring
    either, and is kept with U+FFFD in their place. Halves that belong together are joined.
    """
    if text.isascii() and "\0" not in text:
        return text
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_all(texts: list[Any]) -> list[Any]:
    """Return texts, of which some may be absent, as both databases can hold them."""
    joined = "".join(filter(None, texts))
    if "\0" not in joined:
        if joined.isascii():
            return texts
        try:
            joined.encode()
        except UnicodeEncodeError:
            pass
        else:
            return texts
    return [None if each is None else storable(each) for each in texts]


class Words(sa.types.TypeDecorator[str]):
    """Text of any length, alike on both databases (see `storable`)."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what a database would refuse."""
        return None if value is None else storable(value)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC time. SQLite forgets time zones, so they are taken off and put on here."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Keep the zone where the database can."""
        return dialect.type_descriptor(sa.DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None]:
        """Return what makes an aware UTC time of what the driver gives, in one step a value."""
        return _read if dialect.name == "sqlite" else _in_utc


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + _UTC)


def _in_utc(value: datetime | None) -> datetime | None:
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)
