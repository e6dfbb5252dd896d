"""Knowledge and scripts: publications and their uses, products, open questions, scripts, ratings.

What is published already becomes the first publication of its article.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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


def flag(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


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
    """Make the tables, and a publication of each article that is published."""
    for column in (
        words("accounts"),
        words("products"),
        flag("recommends"),
        never("valid_from"),
        never("valid_until"),
        words("submitted_by"),
        maybe("live_id"),
    ):
        op.add_column("articles", column)
    op.add_column("interactions", words("sources"))
    _publications()
    table(
        "products",
        ("id",),
        word("state"),
        word("title"),
        word("words"),
        moment("since"),
        words("updated_by"),
        maybe("successor"),
        words("notice"),
        count("version"),
    )
    table(
        "open_questions",
        ("id",),
        word("conversation_id"),
        word("text"),
        words("language"),
        words("channel"),
        moment("at"),
        word("state"),
        maybe("article_id"),
    )
    index("open_questions", "state", "at")
    _scripts()
    _publish_again()


def _publications() -> None:
    table(
        "publications",
        ("id",),
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
        never("valid_until"),
        never("ended_at"),
        words("ending"),
        unique("publications", "article_id", "number"),
    )
    index("publications", "ended_at")
    table(
        "publication_uses",
        ("interaction_id", "publication_id"),
        word("conversation_id"),
        words("author"),
        moment("at"),
    )
    index("publication_uses", "publication_id", "at")


def _scripts() -> None:
    table(
        "scripts",
        ("id",),
        word("state"),
        word("title"),
        words("shortcut"),
        words("category"),
        words("meaning"),
        word("wordings"),
        words("approved"),
        flag("promotional"),
        moment("updated_at"),
        words("updated_by"),
        words("submitted_by"),
        words("approved_by"),
        never("approved_at"),
        count("version"),
    )
    table(
        "trials",
        ("id",),
        word("script_id"),
        word("state"),
        word("place"),
        word("variants"),
        word("measure"),
        number("planned"),
        moment("started_at"),
        words("started_by"),
        never("ended_at"),
        words("ended_by"),
        words("winner"),
        count("version"),
    )
    index("trials", "script_id", "started_at")
    op.create_index(
        "uq_trials_running",
        "trials",
        ["script_id", "place"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    table(
        "script_uses",
        ("interaction_id",),
        word("script_id"),
        maybe("trial_id"),
        words("variant"),
        word("conversation_id"),
        word("contact_id"),
        words("author"),
        moment("at"),
    )
    index("script_uses", "trial_id", "at")
    index("script_uses", "script_id", "at")
    index("script_uses", "conversation_id")
    table(
        "ratings",
        ("id",),
        word("conversation_id"),
        word("contact_id"),
        word("state"),
        moment("since"),
        moment("next_at"),
        maybe("interaction_id"),
        never("asked_at"),
        count("score"),
        never("settled_at"),
        count("version"),
        unique("ratings", "conversation_id"),
    )
    index("ratings", "state", "next_at")
    index("ratings", "contact_id", "state")


def _publish_again() -> None:
    made = (
        "lower(hex(randomblob(16)))"
        if op.get_bind().dialect.name == "sqlite"
        else "replace(gen_random_uuid()::text, '-', '')"
    )
    op.execute(
        "INSERT INTO publications (id, article_id, number, category, questions, answer_zh,"  # noqa: S608  no foreign words
        " answer_en, channels, published_at, published_by, begins_at)"
        f" SELECT {made}, id, 1, category, questions, answer_zh, answer_en, channels, updated_at,"
        " updated_by, updated_at FROM articles WHERE state = 'published'"
    )
    op.execute(
        "UPDATE articles SET live_id = (SELECT id FROM publications"
        " WHERE publications.article_id = articles.id)"
    )


def downgrade() -> None:
    """Take it all away; articles keep the text that was worked on."""
    for name in (
        *("ratings", "script_uses", "trials", "scripts", "open_questions", "products"),
        *("publication_uses", "publications"),
    ):
        op.drop_table(name)
    op.drop_column("interactions", "sources")
    for name in (
        *("live_id", "submitted_by", "valid_until", "valid_from", "recommends", "products"),
        "accounts",
    ):
        op.drop_column("articles", name)
