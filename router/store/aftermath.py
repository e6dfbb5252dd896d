"""The tables of what follows from complaints: the question afterwards, and a crisis of many."""

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
    words,
)

follow_ups = sa.Table(
    "follow_ups",
    metadata,
    key(),
    word("case_id"),
    word("contact_id"),
    word("state"),  # due, asked, confirmed, denied, over
    moment("since"),
    moment("next_at"),
    maybe("conversation_id"),
    maybe("interaction_id"),
    moment_or_never("asked_at"),
    moment_or_never("settled_at"),
    count("version"),
    sa.Index(None, "state", "next_at"),
    sa.Index(None, "contact_id", "state"),
    sa.Index(None, "case_id"),
)

crises = sa.Table(
    "crises",
    metadata,
    key(),
    word("subject"),  # topic:NAME or product:NAME
    word("state"),  # raised, drafted, approved, pinned, ended
    moment("raised_at"),
    words("raised_by"),
    number("count"),
    weight("usual"),
    word("wordings"),
    words("drafted_by"),
    moment_or_never("drafted_at"),
    words("approved_by"),
    moment_or_never("approved_at"),
    moment_or_never("pinned_at"),
    words("ended_by"),
    moment_or_never("ended_at"),
    count("version"),
    sa.Index(None, "raised_at"),
    sa.Index(
        "uq_crises_live",
        "subject",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)
