"""The repository of answers on their way out; their windows and tokens come from `windows`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from router.channel.contract import Call, Outbound
from router.domain.ids import AccountName, ContactId, ConversationId, InteractionId, OutboxId
from router.service.records import OutboxRow, OutboxState
from router.store.codec import dump, load
from router.store.dialect import CLAIM_LOCK, alone
from router.store.rows import many, must_be_there, must_change, the
from router.store.tables import conversations
from router.store.traffic import outbox
from router.store.windows import SqlWindows

_QUEUED, _SENDING = OutboxState.QUEUED.value, OutboxState.SENDING.value
_STUCK = (OutboxState.REFUSED.value, OutboxState.DEAD.value, OutboxState.IN_DOUBT.value)

_other = outbox.alias("other")
_at_most = sa.bindparam("at_most", type_=sa.Integer)


def _another(*conditions: "sa.ColumnElement[bool]") -> "sa.Exists":
    """Return whether the same recipient has another row that meets ``conditions``."""
    return (
        sa.select(sa.literal(1))
        .where(
            _other.c.account == outbox.c.account,
            _other.c.recipient == outbox.c.recipient,
            *conditions,
        )
        .exists()
    )


#: At the head of its recipient's line: nothing older waits, and nothing at all is being sent.
_is_head = sa.and_(
    outbox.c.state == _QUEUED,
    ~_another(_other.c.state == _SENDING),
    ~_another(_other.c.state == _QUEUED, _other.c.id < outbox.c.id),
)
_ADD = sa.insert(outbox)
_GET = sa.select(outbox).where(outbox.c.id == sa.bindparam("of"))
_PROMOTIONS = (
    sa.select(outbox)
    .join(conversations, conversations.c.id == outbox.c.conversation_id)
    .where(
        outbox.c.state == _QUEUED,
        outbox.c.promotional,
        conversations.c.contact_id.in_(sa.bindparam("members", expanding=True)),
    )
    .order_by(outbox.c.id)
)
_DUE = (
    sa.select(outbox)
    .where(
        # An expression, so that the line is walked by id until there are enough, and not all
        # that is due sorted first.
        sa.func.coalesce(outbox.c.next_at, outbox.c.next_at) <= sa.bindparam("now"),
        _is_head,
        sa.or_(
            sa.bindparam("of_account", type_=outbox.c.account.type).is_(None),
            outbox.c.account == sa.bindparam("of_account", type_=outbox.c.account.type),
        ),
    )
    .order_by(outbox.c.id)
    .limit(_at_most)
    .with_for_update(of=outbox, skip_locked=True)
)
_CLAIM = (
    sa.update(outbox)
    .where(outbox.c.id.in_(sa.bindparam("rows", expanding=True)))
    .values(state=_SENDING)
)
_WRITE = sa.update(outbox).where(outbox.c.id == sa.bindparam("of"))
_DEFER = _WRITE.where(outbox.c.state == _SENDING).values(
    state=_QUEUED,
    attempts=outbox.c.attempts + 1,
    claimed_by="",
    leaving=False,
    claimed_until=None,
)
_DEPART = _WRITE.where(
    outbox.c.state == _SENDING, outbox.c.claimed_by == sa.bindparam("by")
).values(leaving=True)
_RELEASE = _WRITE.where(outbox.c.state == _SENDING, outbox.c.leaving.is_(False)).values(
    state=_QUEUED, claimed_by="", claimed_until=None
)
_SETTLE = _WRITE.values(claimed_by="", leaving=False, claimed_until=None)
_REQUEUE = _WRITE.where(outbox.c.state.in_(_STUCK)).values(
    state=_QUEUED, attempts=0, why="", reason="", settled_at=None
)
_ABANDONED = (
    sa.select(outbox)
    .where(outbox.c.state == _SENDING, outbox.c.claimed_until <= sa.bindparam("now"))
    .order_by(outbox.c.id)
)
_NEXT_DUE = sa.select(outbox.c.next_at).where(_is_head).order_by(outbox.c.next_at).limit(1)
_DUE_BY_ACCOUNT = (
    sa.select(outbox.c.account, sa.func.min(outbox.c.next_at).label("next_at"))
    .where(outbox.c.account.in_(sa.bindparam("accounts", expanding=True)), _is_head)
    .group_by(outbox.c.account)
)
_WAITING_ACCOUNTS = (
    sa.select(outbox.c.account).where(outbox.c.state == _QUEUED).group_by(outbox.c.account)
)
_LISTED = (
    sa.select(outbox)
    .where(outbox.c.state.in_(sa.bindparam("states", expanding=True)))
    .order_by(outbox.c.id.desc())
    .limit(_at_most)
)
_COUNTS = sa.select(outbox.c.state, sa.func.count().label("rows")).group_by(outbox.c.state)


class SqlOutbox(SqlWindows):
    """Answers on their way out, with reply windows and platform tokens."""

    def add(self, row: OutboxRow) -> None:
        """Insert an answer."""
        self._connection.execute(_ADD, _values(row))

    def get(self, row: OutboxId) -> OutboxRow:
        """Return an answer; raises NotFound."""
        return _row(the(self._connection, _GET, {"of": row}, f"outbox row {row}"))

    def claim(
        self,
        *,
        by: str,
        now: datetime,
        until: datetime,
        limit: int,
        account: AccountName | None = None,
    ) -> tuple[OutboxRow, ...]:
        """Claim rows that are due, oldest first, never two of one recipient on one account.

        One claim chooses at a time, because what one recipient may be sent depends on several
        rows. A row that another transaction is writing is passed over until the next claim.
        """
        alone(self._connection, CLAIM_LOCK)
        asked = {"now": now, "at_most": limit, "of_account": account}
        due = [_row(row) for row in many(self._connection, _DUE, asked)]
        if due:
            rows = {"rows": [row.id for row in due]}
            self._connection.execute(_CLAIM, {**rows, "claimed_by": by, "claimed_until": until})
        return tuple(replace(row, state=OutboxState.SENDING, claimed_by=by) for row in due)

    def depart(self, row: OutboxId, *, by: str, until: datetime) -> bool:
        """Note that the next call leaves now; False if ``by`` does not hold the row any more."""
        values = {"of": row, "by": by, "claimed_until": until}
        return self._connection.execute(_DEPART, values).rowcount > 0

    def release(self, row: OutboxId) -> None:
        """Back to QUEUED as before the claim; raises Conflict if a call may have left."""
        problem = f"outbox row {row} may have left"
        must_change(self._connection, _RELEASE, {"of": row}, problem)

    def encoded(self, row: OutboxId, calls: Sequence[Call]) -> None:
        """Keep the calls that say it; they are made once."""
        self._write(row, calls=dump(tuple(calls)))

    def progressed(self, row: OutboxId, *, next_call: int) -> None:
        """Note that every call before ``next_call`` was accepted."""
        self._write(row, next_call=next_call, leaving=False)

    def _write(self, row: OutboxId, **values: Any) -> None:
        must_be_there(self._connection, _WRITE, {"of": row, **values}, f"outbox row {row}")

    def defer(self, row: OutboxId, *, until: datetime, why: str, reason: str = "") -> None:
        """Back to QUEUED with one more attempt; raises Conflict if it was not being sent."""
        values = {"of": row, "next_at": until, "why": why, "reason": reason}
        must_change(self._connection, _DEFER, values, f"outbox row {row} is not being sent")

    def settle(
        self, row: OutboxId, state: OutboxState, *, at: datetime, why: str = "", reason: str = ""
    ) -> None:
        """Write what became of it, whoever held the claim."""
        outcome = {"state": state.value, "settled_at": at, "why": why, "reason": reason}
        must_be_there(self._connection, _SETTLE, {"of": row, **outcome}, f"outbox row {row}")

    def promotions(self, members: Collection[ContactId]) -> tuple[OutboxRow, ...]:
        """Return what is promotional, for these contacts, and has not left; nobody claims it now.

        The claims of others wait until this transaction is over.
        """
        asked = {"members": list(members)}
        if not many(self._connection, _PROMOTIONS, asked):
            return ()
        alone(self._connection, CLAIM_LOCK)
        return tuple(map(_row, many(self._connection, _PROMOTIONS, asked)))

    def requeue(self, row: OutboxId, *, at: datetime) -> None:
        """Try a dead, refused or doubtful row again from its next call; else raise Conflict."""
        alone(self._connection, CLAIM_LOCK)
        problem = f"outbox row {row} is not dead, refused or in doubt"
        must_change(self._connection, _REQUEUE, {"of": row, "next_at": at}, problem)

    def abandoned(self, *, now: datetime) -> tuple[OutboxRow, ...]:
        """Return SENDING rows whose claim has run out: their daemon died."""
        return tuple(map(_row, many(self._connection, _ABANDONED, {"now": now})))

    def next_due(self) -> datetime | None:
        """Return when the next row that nothing stands in the way of is due."""
        due: datetime | None = self._connection.execute(_NEXT_DUE).scalar_one_or_none()
        return due

    def due(self, accounts: Collection[AccountName]) -> Mapping[AccountName, datetime]:
        """Return, for each of ``accounts`` with rows that nothing stands in the way of, when."""
        rows = many(self._connection, _DUE_BY_ACCOUNT, {"accounts": list(accounts)})
        return {AccountName(row["account"]): row["next_at"] for row in rows}

    def waiting(self) -> frozenset[AccountName]:
        """Return the accounts that have queued rows."""
        rows = many(self._connection, _WAITING_ACCOUNTS)
        return frozenset(AccountName(row["account"]) for row in rows)

    def listed(self, states: Collection[OutboxState], *, limit: int = 200) -> tuple[OutboxRow, ...]:
        """Return rows in these states, newest first."""
        asked = {"states": [state.value for state in states], "at_most": limit}
        return tuple(map(_row, many(self._connection, _LISTED, asked)))

    def counts(self) -> Mapping[str, int]:
        """Return how many rows stand in each state, also in those where none does."""
        found = {row["state"]: row["rows"] for row in many(self._connection, _COUNTS)}
        return {state.value: found.get(state.value, 0) for state in OutboxState}


def _values(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "interaction_id": row.interaction,
        "conversation_id": row.conversation,
        "account": row.account,
        "recipient": row.message.recipient,
        "message": dump(row.message),
        "calls": dump(row.calls),
        "next_call": row.next_call,
        "state": row.state.value,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "next_at": row.next_at,
        "why": row.why,
        "reason": row.reason,
        "settled_at": row.settled_at,
        "claimed_by": row.claimed_by,
        "leaving": row.leaving,
        "promotional": row.promotional,
    }


def _row(row: RowMapping) -> OutboxRow:
    return OutboxRow(
        id=OutboxId(row["id"]),
        interaction=InteractionId(row["interaction_id"]),
        conversation=ConversationId(row["conversation_id"]),
        account=AccountName(row["account"]),
        message=load(Outbound, row["message"]),
        calls=load(tuple[Call, ...], row["calls"]),
        next_call=row["next_call"],
        state=OutboxState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        next_at=row["next_at"],
        why=row["why"],
        reason=row["reason"],
        settled_at=row["settled_at"],
        claimed_by=row["claimed_by"],
        leaving=row["leaving"],
        promotional=row["promotional"],
    )
