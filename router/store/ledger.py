"""The tables of what is written down: events, decisions, alerts, leases."""

import sqlalchemy as sa

from router.store.schema import (
    count,
    key,
    maybe,
    metadata,
    moment,
    moment_or_never,
    number,
    weight,
    word,
)
from router.store.types import UtcDateTime

events = sa.Table(
    "events",
    metadata,
    sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    moment("at"),
    word("kind"),
    maybe("contact_id"),
    maybe("conversation_id"),
    maybe("case_id"),
    maybe("agent_id"),
    maybe("facts"),
    sa.Index(None, "conversation_id", "seq"),
    sa.Index(None, "contact_id", "seq"),
    sa.Index(None, "case_id", "seq"),
    sqlite_autoincrement=True,
)

decisions = sa.Table(
    "decisions",
    metadata,
    key(),
    moment("at"),
    word("kind"),
    word("conversation_id"),
    maybe("agent_id"),
    maybe("reservation_id"),
    word("because"),
    number("seen_seq"),
    word("cases"),
    sa.Index(None, "conversation_id", "at"),
    sa.Index(None, "at"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    key(),
    moment("at"),
    maybe("agent_id"),  # NULL: every supervisor
    word("kind"),
    maybe("conversation_id"),
    maybe("case_id"),
    word("facts"),
    moment_or_never("seen_at"),
    maybe("seen_by"),
    sa.Index(None, "agent_id", "seen_at", "at"),
)

leases = sa.Table("leases", metadata, key("name"), word("holder"), number("fence"), moment("until"))

meta = sa.Table("meta", metadata, key("key"), word("value"))

demand = sa.Table(
    "demand",
    metadata,
    sa.Column("quarter", UtcDateTime, primary_key=True),
    key("family"),
    key("skill"),  # empty: all of the family
    number("time_of_day"),  # quarters of an hour since the shop's midnight
    count("count"),
    weight("weight"),
    sa.Index(None, "time_of_day", "quarter"),
)
