"""The tables of who helps to answer: bots outside, and what colleagues remember of a person."""

import sqlalchemy as sa

from router.store.schema import (
    count,
    key,
    metadata,
    moment,
    moment_or_never,
    number,
    word,
    words,
)

bot_turns = sa.Table(
    "bot_turns",
    metadata,
    key("question_id"),
    word("conversation_id"),
    word("bot"),
    word("state"),  # asked, said, handed_over, failed, refused, overtaken
    words("why"),
    word("by"),
    moment("asked_at"),
    moment("until"),
    number("attempts"),
    count("tokens"),
    moment_or_never("settled_at"),
    sa.Index(None, "conversation_id"),
    sa.Index(None, "asked_at"),
)

remembered = sa.Table(
    "remembered",
    metadata,
    key(),
    word("contact_id"),
    words("text"),
    word("written_by"),
    moment("written_at"),
    words("changed_by"),
    moment_or_never("changed_at"),
    moment_or_never("removed_at"),
    count("version"),
    sa.Index(None, "contact_id"),
)

coached = sa.Table(
    "coached",
    metadata,
    key(),
    moment("at"),
    word("conversation_id"),
    word("author"),
    word("rule"),
    word("outcome"),  # taken, sent, blocked
    sa.Index(None, "at"),
)
