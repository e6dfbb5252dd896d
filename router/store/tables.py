"""The tables of people, what they said, and who answers. Migrations never import this module.

Contact-scoped tables carry ``contact_id``: the origin contact, never rewritten by a merge. Who
stands for the person is ``contacts.root_id``. What travels in and out is in `traffic`, what is
written down about it all in `ledger`, what follows from complaints in `aftermath`.
"""

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
    weight,
    word,
    words,
)
from router.store.types import Words

contacts = sa.Table(
    "contacts",
    metadata,
    key(),
    word("root_id"),
    words("name"),
    words("language"),
    flag("vip"),
    words("note"),
    moment("created_at"),
    count("case_version"),  # on the root: grows with every change of the person's cases
    sa.Index(None, "root_id"),
    sa.Index(None, "created_at"),
)

identities = sa.Table(
    "identities",
    metadata,
    key("account"),
    key("external_id"),
    word("channel"),
    word("contact_id"),
    words("name"),
    flag("following"),
    moment("first_seen_at"),
    moment("last_seen_at"),
    moment_or_never("profile_asked_at"),
    sa.Index(None, "contact_id"),
)

claims = sa.Table(
    "claims",
    metadata,
    key("account"),
    key("external_id"),
    key("kind"),
    key("value"),
    flag("verified"),
    word("source"),
    moment("at"),
    sa.Index(None, "kind", "value"),
)

merges = sa.Table(
    "merges",
    metadata,
    key(),
    word("keep_id"),
    word("fold_id"),
    moment("at"),
    word("by"),
    words("why"),
    moment_or_never("undone_at"),
    words("undone_by"),
    sa.Index(None, "keep_id"),
    sa.Index(None, "fold_id"),
)

#: Two contacts that are probably one person; ``one_id`` is the lesser of the two.
proposals = sa.Table(
    "proposals",
    metadata,
    key(),
    word("one_id"),
    word("other_id"),
    word("evidence"),
    weight("strength"),
    moment("at"),
    word("state"),
    words("decided_by"),
    moment_or_never("decided_at"),
    sa.UniqueConstraint("one_id", "other_id", "evidence"),
    sa.Index(None, "other_id"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    key(),
    word("contact_id"),
    word("channel"),
    word("account"),
    word("external_id"),
    words("thread"),
    word("queue"),
    word("state"),  # the name of the state's class, for look-ups
    word("state_json"),
    maybe("agent_id"),  # responsible(state), for look-ups
    word("needs"),
    words("language"),
    count("priority"),
    flag("public"),
    moment("opened_at"),
    moment_or_never("waiting_since"),
    moment_or_never("first_answer_at"),
    moment_or_never("last_in_at"),
    moment_or_never("last_out_at"),
    count("unread"),
    flag("bot_ok"),
    flag("wants_human"),
    flag("flagged"),
    maybe("mood"),
    maybe("previous_agent"),
    word("excluded"),
    words("subject"),
    words("disposition"),
    words("disposition_note"),
    moment_or_never("closed_at"),
    maybe("plan"),
    count("last_seq"),
    count("version"),
    sa.Index("ix_conversations_contact_id", "contact_id", "opened_at"),
    sa.Index("ix_conversations_agent_id", "agent_id", "state"),
    sa.Index("ix_conversations_thread", "account", "thread", "opened_at"),
    sa.Index(None, "closed_at"),
    sa.Index(
        "ix_conversations_state",
        "state",
        "opened_at",
        "id",
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
    sa.Index(
        "uq_conversations_live",
        "account",
        "external_id",
        "thread",
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)

interactions = sa.Table(
    "interactions",
    metadata,
    key(),
    word("contact_id"),
    word("conversation_id"),
    word("channel"),
    word("account"),
    word("external_id"),
    word("direction"),
    word("kind"),
    words("author"),
    words("author_name"),
    word("content"),
    words("text"),  # plain_text(content), for searches
    moment("at"),
    moment("received_at"),
    number("seq"),
    flag("public"),
    flag("final", default=True),
    words("sending"),
    words("why"),
    words("reply_handle"),
    moment_or_never("edited_at"),
    moment_or_never("recalled_at"),
    maybe("reading"),
    flag("unread"),
    flag("urgent"),  # what the fast tier heard in it cannot wait for its turn
    words("sources"),  # the publications that an answer of ours came from
    sa.UniqueConstraint("account", "external_id"),
    sa.UniqueConstraint("conversation_id", "seq"),
    sa.Index("ix_interactions_contact_id", "contact_id", "at", "id"),
    sa.Index(
        "ix_interactions_unread_of",
        "contact_id",
        sqlite_where=sa.text("unread = 1"),
        postgresql_where=sa.text("unread"),
    ),
    sa.Index(
        "ix_interactions_unread",
        "received_at",
        "id",
        sqlite_where=sa.text("unread = 1"),
        postgresql_where=sa.text("unread"),
    ),
    sa.Index(
        "ix_interactions_urgent",
        "contact_id",
        sqlite_where=sa.text("unread = 1 AND urgent = 1"),
        postgresql_where=sa.text("unread AND urgent"),
    ),
)

#: Readings that people corrected, kept as labelled examples.
corrections = sa.Table(
    "corrections",
    metadata,
    key(),
    word("interaction_id"),
    word("contact_id"),
    moment("at"),
    word("by"),
    word("text"),
    word("labels"),
    maybe("before"),
    sa.Index(None, "interaction_id"),
    sa.Index(None, "contact_id"),
)

#: Edits and recalls that came before the message they speak of.
early_changes = sa.Table(
    "early_changes",
    metadata,
    key("account"),
    key("external_id"),
    word("target"),
    moment("at"),
    maybe("content"),  # NULL: recalled
    sa.Index(None, "account", "target"),
)

cases = sa.Table(
    "cases",
    metadata,
    key(),
    word("contact_id"),
    word("status"),
    number("severity"),
    words("topic"),
    words("summary"),
    words("order_no"),
    moment("opened_at"),
    maybe("opened_by"),
    maybe("conversation_id"),
    maybe("owner"),
    maybe("queue"),
    count("level"),
    moment_or_never("due_at"),
    moment_or_never("acknowledged_at"),
    words("acknowledged_by"),
    moment_or_never("resolved_at"),
    words("resolved_by"),
    maybe("resolution"),
    words("resolution_note"),
    count("reopened"),
    moment_or_never("last_at"),
    words("shop"),  # the account that it concerns
    count("version"),
    sa.CheckConstraint(
        "(status = 'resolved' AND owner IS NULL AND queue IS NULL AND due_at IS NULL) OR "
        "(status <> 'resolved' AND due_at IS NOT NULL AND "
        "(owner IS NULL) <> (queue IS NULL))",
        name="ck_cases_placed",
    ),
    sa.Index(None, "contact_id", "status"),
    sa.Index(None, "status", "due_at"),
    sa.Index(None, "topic", "opened_at"),
    sa.Index(None, "opened_at"),
)

case_interactions = sa.Table(
    "case_interactions",
    metadata,
    key("case_id"),
    key("interaction_id"),
    word("conversation_id"),
    number("severity"),
    moment("at"),
    sa.Index(None, "conversation_id"),
    sa.Index(None, "interaction_id"),
)

agents = sa.Table(
    "agents",
    metadata,
    key(),
    word("login"),
    word("name"),
    word("role"),
    word("skills"),
    word("families"),
    word("languages"),
    weight("capacity"),
    word("presence"),
    moment("presence_since"),
    flag("active", default=True),
    count("lapses"),
    count("version"),
    words("password_hash"),
    flag("must_change_password"),
    count("session_epoch"),  # grows when every session of this person must end
    words("language"),
    sa.Column("groups", Words, nullable=False, server_default="[]"),
    sa.UniqueConstraint("login"),
)

reservations = sa.Table(
    "reservations",
    metadata,
    key(),
    word("conversation_id"),
    word("agent_id"),
    weight("weight"),
    moment("offered_at"),
    moment("until"),
    words("ended"),  # accepted, declined, lapsed, withdrawn; empty while it is live
    moment_or_never("ended_at"),
    number("seen_seq"),
    number("fence"),
    sa.Index(None, "conversation_id"),
    sa.Index(None, "agent_id", "offered_at"),
    sa.Index(
        "uq_reservations_live",
        "conversation_id",
        unique=True,
        sqlite_where=sa.text("ended = ''"),
        postgresql_where=sa.text("ended = ''"),
    ),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    key(),
    word("sha256"),
    word("agent_id"),
    word("name"),
    moment("created_at"),
    moment_or_never("used_at"),
    moment_or_never("revoked_at"),
    sa.UniqueConstraint("sha256"),
    sa.Index(None, "agent_id"),
)
