"""The tables of what travels: deliveries and media in, answers out, windows, tokens, cursors."""

import sqlalchemy as sa

from router.store.schema import (
    count,
    flag,
    key,
    maybe,
    metadata,
    moment,
    moment_or_never,
    word,
    words,
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    key(),
    word("account"),
    moment("at"),
    word("state"),  # taken, unreadable, replayed
    word("method"),
    word("url"),
    word("headers"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    words("why"),
    sa.Index(None, "state", "at"),
)

counts = sa.Table("counts", metadata, key("account"), key("kind"), count("count"))

outbox = sa.Table(
    "outbox",
    metadata,
    key(),
    word("interaction_id"),
    word("conversation_id"),
    word("account"),
    word("recipient"),
    word("message"),
    word("calls"),  # encoded once; an empty list until then
    count("next_call"),
    word("state"),
    count("attempts"),
    moment("created_at"),
    moment("next_at"),
    words("why"),
    words("reason"),
    words("claimed_by"),
    flag("leaving"),  # its next call may have left for the platform
    flag("promotional"),
    moment_or_never("claimed_until"),
    moment_or_never("settled_at"),
    sa.Index(None, "interaction_id"),
    sa.Index(None, "state", "next_at"),
    sa.Index("ix_outbox_line", "state", "id"),
    sa.Index("ix_outbox_recipient", "account", "recipient", "state", "id"),
)

#: The platform's ids of what we sent: for receipts, and to know an echo of our own.
sent_ids = sa.Table(
    "sent_ids", metadata, key("account"), key("platform_id"), word("interaction_id")
)

windows = sa.Table(
    "windows",
    metadata,
    key("account"),
    key("source"),
    word("external_id"),
    word("kind"),
    moment("opened_at"),
    moment("closes_at"),
    sa.Column("sends_left", sa.BigInteger, nullable=True),  # NULL: without a count
    sa.Index(None, "account", "external_id", "closes_at"),
)

#: The platforms' access tokens; they expire within hours.
tokens = sa.Table("tokens", metadata, key("account"), word("value"), moment("expires_at"))

cursors = sa.Table(
    "cursors",
    metadata,
    key("account"),
    key("key"),
    words("cursor"),
    flag("ringing"),
    words("hint"),
)

media = sa.Table(
    "media",
    metadata,
    key(),
    word("account"),
    maybe("interaction_id"),
    word("state"),  # wanted, stored, refused
    maybe("content"),
    words("mime"),
    words("name"),
    count("size"),
    words("sha256"),
    count("attempts"),
    moment("next_at"),
    words("why"),
    sa.Index(None, "interaction_id"),
    sa.Index(None, "state", "next_at"),
)
