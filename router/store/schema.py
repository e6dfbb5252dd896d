"""What all tables share: the metadata, how constraints are named, and the kinds of columns."""

from datetime import datetime

import sqlalchemy as sa

from router.store.types import UtcDateTime, Words

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key(name: str = "id") -> "sa.Column[str]":
    """Return a column that is, or is part of, the primary key."""
    return sa.Column(name, Words, primary_key=True)


def word(name: str) -> "sa.Column[str]":
    """Return a text that every row states."""
    return sa.Column(name, Words, nullable=False)


def words(name: str) -> "sa.Column[str]":
    """Return a text that is empty unless it is stated."""
    return sa.Column(name, Words, nullable=False, server_default="")


def maybe(name: str) -> "sa.Column[str]":
    """Return a text that may be absent."""
    return sa.Column(name, Words, nullable=True)


def flag(name: str, *, default: bool = False) -> "sa.Column[bool]":
    """Return a yes or no."""
    preset = sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean, nullable=False, server_default=preset)


def count(name: str) -> "sa.Column[int]":
    """Return a number that begins at zero."""
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def number(name: str) -> "sa.Column[int]":
    """Return a number that every row states."""
    return sa.Column(name, sa.BigInteger, nullable=False)


def weight(name: str) -> "sa.Column[float]":
    """Return a share of somebody's attention."""
    return sa.Column(name, sa.Float, nullable=False)


def moment(name: str) -> "sa.Column[datetime]":
    """Return a time that every row states."""
    return sa.Column(name, UtcDateTime, nullable=False)


def moment_or_never(name: str) -> "sa.Column[datetime]":
    """Return a time that may not have come."""
    return sa.Column(name, UtcDateTime, nullable=True)
