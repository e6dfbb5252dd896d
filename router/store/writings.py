"""The tables of what the shop has written: articles and their publications, products, scripts."""

import sqlalchemy as sa

from router.store.schema import (
    count,
    flag,
    key,
    maybe,
    metadata,
    moment,
    moment_or_never,
    number,
    word,
    words,
)

articles = sa.Table(
    "articles",
    metadata,
    key(),
    word("state"),  # draft, in_review, published, withdrawn
    words("category"),
    word("questions"),
    words("answer_zh"),
    words("answer_en"),
    word("channels"),
    moment("updated_at"),
    words("updated_by"),
    count("version"),
    words("accounts"),
    words("products"),
    flag("recommends"),
    moment_or_never("valid_from"),
    moment_or_never("valid_until"),
    words("submitted_by"),
    maybe("live_id"),
)

#: What was published, word for word; only the end of a row is ever written.
publications = sa.Table(
    "publications",
    metadata,
    key(),
    word("article_id"),
    number("number"),
    words("category"),
    word("questions"),
    words("answer_zh"),
    words("answer_en"),
    word("channels"),
    words("accounts"),
    words("products"),
    flag("recommends"),
    moment("published_at"),
    words("published_by"),
    moment("begins_at"),
    moment_or_never("valid_until"),
    moment_or_never("ended_at"),
    words("ending"),  # superseded, withdrawn, expired; empty while it holds
    sa.UniqueConstraint("article_id", "number"),
    sa.Index(None, "ended_at"),
)

#: Which answers came from which publication.
publication_uses = sa.Table(
    "publication_uses",
    metadata,
    key("interaction_id"),
    key("publication_id"),
    word("conversation_id"),
    words("author"),
    moment("at"),
    sa.Index(None, "publication_id", "at"),
)

products = sa.Table(
    "products",
    metadata,
    key(),
    word("state"),  # coming, on_sale, discontinued, recalled
    word("title"),
    word("words"),
    moment("since"),
    words("updated_by"),
    maybe("successor"),
    words("notice"),
    count("version"),
)

#: What the bot could not answer; ``id`` is the interaction that asked.
open_questions = sa.Table(
    "open_questions",
    metadata,
    key(),
    word("conversation_id"),
    word("text"),
    words("language"),
    words("channel"),
    moment("at"),
    word("state"),  # open, drafted, dismissed
    maybe("article_id"),
    sa.Index(None, "state", "at"),
)

scripts = sa.Table(
    "scripts",
    metadata,
    key(),
    word("state"),  # draft, in_review, approved, withdrawn
    word("title"),
    words("shortcut"),
    words("category"),
    words("meaning"),
    word("wordings"),
    words("approved"),  # the wordings that may be sent; empty: none
    flag("promotional"),
    moment("updated_at"),
    words("updated_by"),
    words("submitted_by"),
    words("approved_by"),
    moment_or_never("approved_at"),
    count("version"),
)

trials = sa.Table(
    "trials",
    metadata,
    key(),
    word("script_id"),
    word("state"),  # running, ended
    word("place"),  # the channel, family or "any" whose wording is tried
    word("variants"),
    word("measure"),  # reply, conversion, csat, resolution
    number("planned"),
    moment("started_at"),
    words("started_by"),
    moment_or_never("ended_at"),
    words("ended_by"),
    words("winner"),
    count("version"),
    sa.Index(None, "script_id", "started_at"),
    sa.Index(
        "uq_trials_running",
        "script_id",
        "place",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)

#: Which answers were made from which script, in which variant.
script_uses = sa.Table(
    "script_uses",
    metadata,
    key("interaction_id"),
    word("script_id"),
    maybe("trial_id"),
    words("variant"),
    word("conversation_id"),
    word("contact_id"),
    words("author"),
    moment("at"),
    sa.Index(None, "trial_id", "at"),
    sa.Index(None, "script_id", "at"),
    sa.Index(None, "conversation_id"),
)

#: How a contact rated a conversation when asked after it.
ratings = sa.Table(
    "ratings",
    metadata,
    key(),
    word("conversation_id"),
    word("contact_id"),
    word("state"),  # due, asked, given, over
    moment("since"),
    moment("next_at"),
    maybe("interaction_id"),
    moment_or_never("asked_at"),
    count("score"),  # 1 to 5; 0 until it is given
    moment_or_never("settled_at"),
    count("version"),
    sa.UniqueConstraint("conversation_id"),
    sa.Index(None, "state", "next_at"),
    sa.Index(None, "contact_id", "state"),
)
