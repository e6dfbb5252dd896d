"""The repository of what a platform lets us send: reply windows, its tokens, its ids of ours."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.channel.contract import Token
from router.domain.ids import AccountName, InteractionId
from router.service.records import OpenWindow
from router.store.dialect import insert_new, insert_or_set
from router.store.rows import insert, many, one
from router.store.traffic import sent_ids, tokens, windows

_of_person = sa.and_(
    windows.c.account == sa.bindparam("of_account"),
    windows.c.external_id == sa.bindparam("of_external_id"),
)
_REMEMBER = insert_new(sent_ids)
_SENT = sa.select(sent_ids.c.interaction_id).where(
    sent_ids.c.account == sa.bindparam("of_account"),
    sent_ids.c.platform_id == sa.bindparam("of_platform_id"),
)
_OPEN = insert_new(windows)
_WINDOWS = (
    sa.select(windows)
    .where(
        _of_person,
        windows.c.closes_at > sa.bindparam("at"),
        sa.or_(windows.c.sends_left.is_(None), windows.c.sends_left > 0),
    )
    .order_by(windows.c.closes_at, windows.c.source)
)
_LAST = (
    sa.select(windows)
    .where(_of_person)
    .order_by(windows.c.closes_at.desc(), windows.c.source.desc())
    .limit(1)
)
_USE = (
    sa.update(windows)
    .where(
        windows.c.account == sa.bindparam("of_account"),
        windows.c.source == sa.bindparam("of_source"),
        windows.c.sends_left.is_not(None),
    )
    .values(sends_left=windows.c.sends_left - sa.bindparam("sends", type_=sa.BigInteger))
)
_CLOSE = sa.update(windows).where(_of_person, windows.c.closes_at > sa.bindparam("at"))
_TOKEN = sa.select(tokens).where(tokens.c.account == sa.bindparam("of_account"))
_KEEP = insert_or_set(tokens, "value", "expires_at")
_FORGET = sa.delete(tokens).where(tokens.c.account == sa.bindparam("of_account"))


class SqlWindows:
    """Reply windows, platform tokens, and the platform's ids of what we sent."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def remember_sent(
        self, account: AccountName, platform_id: str, interaction: InteractionId
    ) -> None:
        """Keep the platform's id of something we sent; the first one told stays."""
        values = {"account": account, "platform_id": platform_id, "interaction_id": interaction}
        insert(self._connection, _REMEMBER, values)

    def sent(self, account: AccountName, platform_id: str) -> InteractionId | None:
        """Return what we sent under this id of the platform's."""
        asked = {"of_account": account, "of_platform_id": platform_id}
        row = one(self._connection, _SENT, asked)
        return None if row is None else InteractionId(row["interaction_id"])

    def open_window(
        self,
        account: AccountName,
        external_id: str,
        *,
        source: str,
        kind: str,
        opened_at: datetime,
        closes_at: datetime,
        sends: int | None,
    ) -> None:
        """Open a reply window; the same source twice opens one."""
        values = {
            "account": account,
            "source": source,
            "external_id": external_id,
            "kind": kind,
            "opened_at": opened_at,
            "closes_at": closes_at,
            "sends_left": sends,
        }
        insert(self._connection, _OPEN, values)

    def windows(
        self, account: AccountName, external_id: str, *, at: datetime
    ) -> tuple[OpenWindow, ...]:
        """Return the windows that are open and have sends left, the first to close first."""
        asked = {"of_account": account, "of_external_id": external_id, "at": at}
        return tuple(map(_window, many(self._connection, _WINDOWS, asked)))

    def last_window(self, account: AccountName, external_id: str) -> OpenWindow | None:
        """Return the window that closes last, open or not."""
        asked = {"of_account": account, "of_external_id": external_id}
        row = one(self._connection, _LAST, asked)
        return None if row is None else _window(row)

    def use_window(self, account: AccountName, source: str, *, sends: int) -> None:
        """Count sends against a window (negative: give them back)."""
        asked = {"of_account": account, "of_source": source, "sends": sends}
        self._connection.execute(_USE, asked)

    def close_windows(self, account: AccountName, external_id: str, *, at: datetime) -> None:
        """Close every window of a person that is open at ``at``."""
        asked = {"of_account": account, "of_external_id": external_id}
        self._connection.execute(_CLOSE, {**asked, "at": at, "closes_at": at})

    def token(self, account: AccountName) -> Token | None:
        """Return the account's platform token, expired or not."""
        row = one(self._connection, _TOKEN, {"of_account": account})
        return None if row is None else Token(value=row["value"], expires_at=row["expires_at"])

    def keep_token(self, account: AccountName, token: Token | None) -> None:
        """Keep the account's platform token; None forgets it."""
        if token is None:
            self._connection.execute(_FORGET, {"of_account": account})
        else:
            values = {"account": account, "value": token.value, "expires_at": token.expires_at}
            insert(self._connection, _KEEP, values)


def _window(row: RowMapping) -> OpenWindow:
    return OpenWindow(
        source=row["source"],
        kind=row["kind"],
        closes_at=row["closes_at"],
        sends_left=row["sends_left"],
    )
