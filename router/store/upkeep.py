"""The repository of what keeps the daemon going: deliveries, cursors, media, leases."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.content import Content
from router.domain.ids import AccountName, InteractionId, MediaId
from router.service.records import Lease, MediaRow, RawDelivery
from router.store.codec import dump, load
from router.store.dialect import insert_new, insert_or_add, insert_or_set
from router.store.ledger import leases, meta
from router.store.rows import insert, many, must_be_there, one, the
from router.store.traffic import counts, cursors, deliveries, media

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # a lease until then is nobody's
_at_most = sa.bindparam("at_most", type_=sa.Integer)

_KEEP_DELIVERY = sa.insert(deliveries)
_DELIVERY = sa.select(deliveries).where(deliveries.c.id == sa.bindparam("of"))
_DELIVERIES = (
    sa.select(deliveries)
    .where(deliveries.c.state == sa.bindparam("of_state"))
    .order_by(deliveries.c.at.desc(), deliveries.c.id.desc())
    .limit(_at_most)
)
_MARK_DELIVERY = sa.update(deliveries).where(deliveries.c.id == sa.bindparam("of"))
_FORGET = sa.delete(deliveries).where(
    deliveries.c.state == "taken", deliveries.c.at < sa.bindparam("before")
)
_COUNT = insert_or_add(counts, "count")
_COUNTS = sa.select(counts)
_RING = insert_or_set(cursors, "ringing", "hint")
_RINGING = (
    sa.select(cursors)
    .where(cursors.c.ringing)
    .order_by(cursors.c.account, cursors.c.key)
    .limit(_at_most)
)
_PULLED = insert_or_set(cursors, "cursor", "ringing")
_WANT_MEDIA = sa.insert(media)
_MEDIA = sa.select(media).where(media.c.id == sa.bindparam("of"))
_WANTED = (
    sa.select(media)
    .where(media.c.state == "wanted", media.c.next_at <= sa.bindparam("now"))
    .order_by(media.c.next_at, media.c.id)
    .limit(_at_most)
)
_SAVE_MEDIA = sa.update(media).where(media.c.id == sa.bindparam("of"))
_TAKE_LEASE = insert_new(leases)
_LEASE = sa.select(leases).where(leases.c.name == sa.bindparam("of"))
_LOCK_LEASE = _LEASE.with_for_update()
_WRITE_LEASE = sa.update(leases).where(leases.c.name == sa.bindparam("of"))
_RELEASE = _WRITE_LEASE.where(leases.c.holder == sa.bindparam("by"))
_META = sa.select(meta.c.value).where(meta.c.key == sa.bindparam("of"))
_SET_META = insert_or_set(meta, "value")


class SqlUpkeep:
    """Raw deliveries, counts, cursors, media, leases and single settings."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_delivery(self, delivery: RawDelivery) -> None:
        """Keep a delivery as it came."""
        self._connection.execute(_KEEP_DELIVERY, delivery_values(delivery))

    def delivery(self, delivery: str) -> RawDelivery:
        """Return a delivery; raises NotFound."""
        what = f"delivery {delivery}"
        return _delivery(the(self._connection, _DELIVERY, {"of": delivery}, what))

    def deliveries(self, *, state: str, limit: int = 100) -> tuple[RawDelivery, ...]:
        """Return deliveries in one state, newest first."""
        asked = {"of_state": state, "at_most": limit}
        return tuple(map(_delivery, many(self._connection, _DELIVERIES, asked)))

    def mark_delivery(self, delivery: str, *, state: str, why: str = "") -> None:
        """Write what became of a delivery; raises NotFound."""
        values = {"of": delivery, "state": state, "why": why}
        must_be_there(self._connection, _MARK_DELIVERY, values, f"delivery {delivery}")

    def forget_deliveries(self, *, before: datetime) -> int:
        """Delete taken raw deliveries older than ``before``; return how many."""
        return self._connection.execute(_FORGET, {"before": before}).rowcount

    def count(self, account: AccountName, kind: str, *, by: int = 1) -> None:
        """Count something that is not kept."""
        insert(self._connection, _COUNT, {"account": account, "kind": kind, "count": by})

    def counts(self) -> Mapping[tuple[AccountName, str], int]:
        """Return every count by account and kind."""
        rows = many(self._connection, _COUNTS)
        return {(AccountName(row["account"]), row["kind"]): row["count"] for row in rows}

    def ring(self, account: AccountName, key: str, *, hint: str) -> None:
        """Note that something is to be pulled."""
        values = {"account": account, "key": key, "ringing": True, "hint": hint}
        insert(self._connection, _RING, values)

    def ringing(self, *, limit: int = 50) -> tuple[tuple[AccountName, str, str, str], ...]:
        """Return (account, key, cursor, hint) of what is to be pulled."""
        rows = many(self._connection, _RINGING, {"at_most": limit})
        return tuple(
            (AccountName(row["account"]), row["key"], row["cursor"], row["hint"]) for row in rows
        )

    def pulled(self, account: AccountName, key: str, *, cursor: str, more: bool) -> None:
        """Keep how far was pulled; it rings on while there is ``more``."""
        values = {"account": account, "key": key, "cursor": cursor, "ringing": more}
        insert(self._connection, _PULLED, values)

    def want_media(self, row: MediaRow) -> None:
        """Note that a file is to be fetched, or was brought."""
        self._connection.execute(_WANT_MEDIA, {"id": row.id, **media_values(row)})

    def media_known(self, media: MediaId) -> bool:
        """Return whether a file has a row."""
        return one(self._connection, _MEDIA, {"of": media}) is not None

    def media(self, media: MediaId) -> MediaRow:
        """Return a file's row; raises NotFound."""
        return _media(the(self._connection, _MEDIA, {"of": media}, f"media {media}"))

    def wanted_media(self, *, now: datetime, limit: int) -> tuple[MediaRow, ...]:
        """Return what is to be fetched now, the longest due first."""
        return tuple(map(_media, many(self._connection, _WANTED, {"now": now, "at_most": limit})))

    def save_media(self, row: MediaRow) -> None:
        """Write a file's row; raises NotFound."""
        values = {"of": row.id, **media_values(row)}
        must_be_there(self._connection, _SAVE_MEDIA, values, f"media {row.id}")

    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take or keep a lease; None if somebody else holds it. A new holder gets a new fence."""
        first = {"name": name, "holder": holder, "fence": 1, "until": until}
        if insert(self._connection, _TAKE_LEASE, first):
            return Lease(name=name, holder=holder, fence=1, until=until)
        held = _lease(the(self._connection, _LOCK_LEASE, {"of": name}, f"lease {name}"))
        if held.holder != holder and held.until > now:
            return None
        fence = held.fence if held.holder == holder else held.fence + 1
        values = {"of": name, "holder": holder, "fence": fence, "until": until}
        self._connection.execute(_WRITE_LEASE, values)
        return Lease(name=name, holder=holder, fence=fence, until=until)

    def leased(self, name: str) -> Lease | None:
        """Return who had the lease last, and until when."""
        row = one(self._connection, _LEASE, {"of": name})
        return None if row is None else _lease(row)

    def release_lease(self, name: str, *, holder: str) -> None:
        """Let go of a lease, if it is ours; the fence goes on counting."""
        self._connection.execute(_RELEASE, {"of": name, "by": holder, "until": _LONG_AGO})

    def meta(self, key: str) -> str | None:
        """Return a single value that the installation keeps."""
        row = one(self._connection, _META, {"of": key})
        return None if row is None else str(row["value"])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a single value."""
        insert(self._connection, _SET_META, {"key": key, "value": value})


def delivery_values(delivery: RawDelivery) -> dict[str, Any]:
    """Return a delivery as its row states it."""
    return {
        "id": delivery.id,
        "account": delivery.account,
        "at": delivery.at,
        "state": delivery.state,
        "method": delivery.method,
        "url": delivery.url,
        "headers": dump(delivery.headers),
        "body": delivery.body,
        "why": delivery.why,
    }


def _delivery(row: RowMapping) -> RawDelivery:
    return RawDelivery(
        id=row["id"],
        account=AccountName(row["account"]),
        at=row["at"],
        state=row["state"],
        method=row["method"],
        url=row["url"],
        headers=load(dict[str, str], row["headers"]),
        body=row["body"],
        why=row["why"],
    )


def media_values(row: MediaRow) -> dict[str, Any]:
    """Return a file as its row states it, without the id."""
    return {
        "account": row.account,
        "interaction_id": row.interaction,
        "state": row.state,
        "content": None if row.content is None else dump(row.content),
        "mime": row.mime,
        "name": row.name,
        "size": row.size,
        "sha256": row.sha256,
        "attempts": row.attempts,
        "next_at": row.next_at,
        "why": row.why,
    }


def _media(row: RowMapping) -> MediaRow:
    interaction, content = row["interaction_id"], row["content"]
    return MediaRow(
        id=MediaId(row["id"]),
        account=AccountName(row["account"]),
        interaction=None if interaction is None else InteractionId(interaction),
        state=row["state"],
        content=None if content is None else load(Content, content),
        mime=row["mime"],
        name=row["name"],
        size=row["size"],
        sha256=row["sha256"],
        attempts=row["attempts"],
        next_at=row["next_at"],
        why=row["why"],
    )


def _lease(row: RowMapping) -> Lease:
    return Lease(name=row["name"], holder=row["holder"], fence=row["fence"], until=row["until"])
