"""The main stem: people, conversations, cases, agents, what travels, what is written down."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def key(name: str = "id") -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def word(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def words(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def maybe(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=True)


def flag(name: str, *, default: bool = False) -> "sa.Column[bool]":
    preset = sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean, nullable=False, server_default=preset)


def count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def weight(name: str) -> "sa.Column[float]":
    return sa.Column(name, sa.Float, nullable=False)


def moment(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def never(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def table(name: str, keys: tuple[str, ...], *parts: sa.schema.SchemaItem) -> None:
    primary = sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}")
    op.create_table(name, *map(key, keys), *parts, primary)


def index(name: str, *columns: str) -> None:
    op.create_index(f"ix_{name}_{'_'.join(columns)}", name, columns)


def unique(name: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{name}_{'_'.join(columns)}")


def upgrade() -> None:
    """Make every table."""
    _people()
    _conversations()
    _interactions()
    _cases()
    _aftermath()
    _workforce()
    _in_and_out()
    _answers()
    _ledger()
    _events()


def _people() -> None:
    table(
        "contacts",
        ("id",),
        word("root_id"),
        words("name"),
        words("language"),
        flag("vip"),
        words("note"),
        moment("created_at"),
        count("case_version"),
    )
    index("contacts", "root_id")
    index("contacts", "created_at")
    table(
        "identities",
        ("account", "external_id"),
        word("channel"),
        word("contact_id"),
        words("name"),
        flag("following"),
        moment("first_seen_at"),
        moment("last_seen_at"),
        never("profile_asked_at"),
    )
    index("identities", "contact_id")
    table(
        "claims",
        ("account", "external_id", "kind", "value"),
        flag("verified"),
        word("source"),
        moment("at"),
    )
    index("claims", "kind", "value")
    who = (word("keep_id"), word("fold_id"), moment("at"), word("by"), words("why"))
    table("merges", ("id",), *who, never("undone_at"), words("undone_by"))
    index("merges", "keep_id")
    index("merges", "fold_id")
    pair = unique("proposals", "one_id", "other_id", "evidence")
    table(
        "proposals",
        ("id",),
        word("one_id"),
        word("other_id"),
        word("evidence"),
        weight("strength"),
        moment("at"),
        word("state"),
        words("decided_by"),
        never("decided_at"),
        pair,
    )
    index("proposals", "other_id")


def _conversations() -> None:
    where = (word("contact_id"), word("channel"), word("account"), word("external_id"))
    table(
        "conversations",
        ("id",),
        *where,
        words("thread"),
        word("queue"),
        word("state"),
        word("state_json"),
        maybe("agent_id"),
        word("needs"),
        words("language"),
        count("priority"),
        flag("public"),
        moment("opened_at"),
        never("waiting_since"),
        never("first_answer_at"),
        never("last_in_at"),
        never("last_out_at"),
        count("unread"),
        *(flag("bot_ok"), flag("wants_human"), flag("flagged")),
        maybe("previous_agent"),
        word("excluded"),
        *(words("subject"), words("disposition"), words("disposition_note")),
        never("closed_at"),
        *(count("last_seq"), count("version")),
    )
    name = "conversations"
    op.create_index("ix_conversations_contact_id", name, ["contact_id", "opened_at"])
    op.create_index("ix_conversations_agent_id", name, ["agent_id", "state"])
    op.create_index("ix_conversations_thread", name, ["account", "thread", "opened_at"])
    index(name, "closed_at")
    op.create_index(
        "uq_conversations_live",
        name,
        ["account", "external_id", "thread"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _interactions() -> None:
    where = (word("conversation_id"), word("channel"), word("account"), word("external_id"))
    table(
        "interactions",
        ("id",),
        word("contact_id"),
        *where,
        *(word("direction"), word("kind"), words("author"), words("author_name")),
        *(word("content"), words("text")),
        *(moment("at"), moment("received_at")),
        number("seq"),
        *(flag("public"), flag("final", default=True)),
        *(words("sending"), words("why"), words("reply_handle")),
        *(never("edited_at"), never("recalled_at")),
        *(maybe("reading"), flag("unread")),
        unique("interactions", "account", "external_id"),
        unique("interactions", "conversation_id", "seq"),
    )
    op.create_index("ix_interactions_contact_id", "interactions", ["contact_id", "at", "id"])
    op.create_index(
        "ix_interactions_unread",
        "interactions",
        ["received_at", "id"],
        sqlite_where=sa.text("unread = 1"),
        postgresql_where=sa.text("unread"),
    )
    early = (word("target"), moment("at"), maybe("content"))
    table("early_changes", ("account", "external_id"), *early)
    index("early_changes", "account", "target")


def _cases() -> None:
    table(
        "cases",
        ("id",),
        word("contact_id"),
        word("status"),
        number("severity"),
        *(words("topic"), words("summary"), words("order_no")),
        moment("opened_at"),
        *map(maybe, ("opened_by", "conversation_id", "owner", "queue")),
        count("level"),
        never("due_at"),
        *(never("acknowledged_at"), words("acknowledged_by")),
        *(never("resolved_at"), words("resolved_by")),
        *(maybe("resolution"), words("resolution_note")),
        count("reopened"),
        never("last_at"),
        count("version"),
        sa.CheckConstraint(
            "(status = 'resolved' AND owner IS NULL AND queue IS NULL AND due_at IS NULL) OR "
            "(status <> 'resolved' AND due_at IS NOT NULL AND "
            "(owner IS NULL) <> (queue IS NULL))",
            name="ck_cases_placed",
        ),
    )
    index("cases", "contact_id", "status")
    index("cases", "status", "due_at")
    index("cases", "topic", "opened_at")
    index("cases", "opened_at")
    joined = (word("conversation_id"), number("severity"), moment("at"))
    table("case_interactions", ("case_id", "interaction_id"), *joined)
    index("case_interactions", "conversation_id")
    index("case_interactions", "interaction_id")


def _aftermath() -> None:
    table(
        "follow_ups",
        ("id",),
        *map(word, ("case_id", "contact_id", "state")),
        *(moment("since"), moment("next_at")),
        *(maybe("conversation_id"), maybe("interaction_id")),
        *(never("asked_at"), never("settled_at"), count("version")),
    )
    index("follow_ups", "state", "next_at")
    index("follow_ups", "contact_id", "state")
    index("follow_ups", "case_id")
    table(
        "crises",
        ("id",),
        *(word("subject"), word("state"), moment("raised_at"), words("raised_by")),
        *(number("count"), weight("usual"), word("wordings")),
        *(words("drafted_by"), never("drafted_at")),
        *(words("approved_by"), never("approved_at"), never("pinned_at")),
        *(words("ended_by"), never("ended_at"), count("version")),
    )
    index("crises", "raised_at")
    op.create_index(
        "uq_crises_live",
        "crises",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _workforce() -> None:
    table(
        "agents",
        ("id",),
        *map(word, ("login", "name", "role", "skills", "families", "languages")),
        weight("capacity"),
        *(word("presence"), moment("presence_since"), flag("active", default=True)),
        *(count("lapses"), count("version")),
        *(words("password_hash"), flag("must_change_password"), count("session_epoch")),
        words("language"),
        unique("agents", "login"),
    )
    table(
        "reservations",
        ("id",),
        *(word("conversation_id"), word("agent_id"), weight("weight")),
        *(moment("offered_at"), moment("until")),
        *(words("ended"), never("ended_at")),
        *(number("seen_seq"), number("fence")),
    )
    index("reservations", "conversation_id")
    index("reservations", "agent_id", "offered_at")
    table(
        "api_tokens",
        ("id",),
        *map(word, ("sha256", "agent_id", "name")),
        *(moment("created_at"), never("used_at"), never("revoked_at")),
        unique("api_tokens", "sha256"),
    )
    index("api_tokens", "agent_id")


def _in_and_out() -> None:
    table(
        "deliveries",
        ("id",),
        *(word("account"), moment("at"), word("state")),
        *map(word, ("method", "url", "headers")),
        sa.Column("body", sa.LargeBinary, nullable=False),
        words("why"),
    )
    index("deliveries", "state", "at")
    table("counts", ("account", "kind"), count("count"))
    table("cursors", ("account", "key"), words("cursor"), flag("ringing"), words("hint"))
    table(
        "media",
        ("id",),
        *(word("account"), maybe("interaction_id"), word("state"), maybe("content")),
        *(words("mime"), words("name"), count("size"), words("sha256")),
        *(count("attempts"), moment("next_at"), words("why")),
    )
    index("media", "interaction_id")
    index("media", "state", "next_at")


def _answers() -> None:
    table(
        "outbox",
        ("id",),
        *map(word, ("interaction_id", "conversation_id", "account", "recipient")),
        *(word("message"), word("calls"), count("next_call")),
        *(word("state"), count("attempts"), moment("created_at"), moment("next_at")),
        *(words("why"), words("reason")),
        *(words("claimed_by"), flag("leaving")),
        *(never("claimed_until"), never("settled_at")),
    )
    index("outbox", "interaction_id")
    index("outbox", "state", "next_at")
    op.create_index("ix_outbox_recipient", "outbox", ["account", "recipient", "state", "id"])
    table("sent_ids", ("account", "platform_id"), word("interaction_id"))
    table(
        "windows",
        ("account", "source"),
        *(word("external_id"), word("kind"), moment("opened_at"), moment("closes_at")),
        sa.Column("sends_left", sa.BigInteger, nullable=True),
    )
    index("windows", "account", "external_id", "closes_at")
    table("tokens", ("account",), word("value"), moment("expires_at"))


def _ledger() -> None:
    table(
        "decisions",
        ("id",),
        *(moment("at"), word("kind"), word("conversation_id")),
        *(maybe("agent_id"), maybe("reservation_id"), word("because")),
        *(number("seen_seq"), word("cases")),
    )
    index("decisions", "conversation_id", "at")
    index("decisions", "at")
    table(
        "alerts",
        ("id",),
        *(moment("at"), maybe("agent_id"), word("kind")),
        *(maybe("conversation_id"), maybe("case_id"), word("facts")),
        *(never("seen_at"), maybe("seen_by")),
    )
    index("alerts", "agent_id", "seen_at", "at")
    table(
        "articles",
        ("id",),
        *(word("state"), words("category"), word("questions")),
        *(words("answer_zh"), words("answer_en"), word("channels")),
        *(moment("updated_at"), words("updated_by"), count("version")),
    )
    table("leases", ("name",), word("holder"), number("fence"), moment("until"))
    table("meta", ("key",), word("value"))


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True),
        *(moment("at"), word("kind")),
        *map(maybe, ("contact_id", "conversation_id", "case_id", "agent_id", "facts")),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    index("events", "conversation_id", "seq")
    index("events", "contact_id", "seq")
    index("events", "case_id", "seq")
