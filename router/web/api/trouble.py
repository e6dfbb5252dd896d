"""What went wrong: outbox, deliveries, counts."""

import base64
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from router.domain.ids import OutboxId
from router.domain.workforce import Role
from router.service import delivery
from router.service.records import OutboxRow, OutboxState, RawDelivery
from router.service.unit import Unit
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import ContentShape, Shape
from router.web.webhooks import replay

operations = Operations("operations")


class OutboxQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which answers: by state, separated by commas."""

    state: str = "dead,refused,in_doubt,queued"


class OutboxShape(Shape, frozen=True):
    """An answer on its way out."""

    id: str
    interaction: str
    conversation: str
    account: str
    recipient: str
    state: OutboxState
    attempts: int
    next_call: int
    calls: int
    created_at: datetime
    next_at: datetime
    why: str
    reason: str
    settled_at: datetime | None
    content: ContentShape

    @classmethod
    def of(cls, value: OutboxRow) -> "OutboxShape":
        """Return a row of the outbox."""
        special = {"recipient", "calls", "content"}
        names = [name for name in cls.__struct_fields__ if name not in special]
        return cls(
            **{name: getattr(value, name) for name in names},
            recipient=value.message.recipient,
            calls=len(value.calls),
            content=ContentShape.of(value.message.content),
        )


class DeliveriesQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which deliveries: taken, unreadable or replayed."""

    state: str = "unreadable"
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class DeliveryShape(Shape, frozen=True):
    """A delivery as it came, without its body."""

    id: str
    account: str
    at: datetime
    state: str
    method: str
    why: str
    size: int

    @classmethod
    def of(cls, value: RawDelivery) -> "DeliveryShape":
        """Return a delivery's head."""
        names = [name for name in cls.__struct_fields__ if name != "size"]
        return cls(**{name: getattr(value, name) for name in names}, size=len(value.body))


class RawShape(Shape, frozen=True):
    """A delivery byte for byte; keys in headers are not kept."""

    delivery: DeliveryShape
    url: str
    headers: dict[str, str]
    body_b64: str


class ReplayedShape(Shape, frozen=True):
    """What became of a delivery that was read again."""

    new: int
    known: int
    ignored: int


class CountShape(Shape, frozen=True):
    """How often something came that nobody used."""

    account: str
    kind: str
    count: int


# ----- answers that did not go out ----------------------------------------------------------------


@operations.add(
    "GET", "/outbox", answer=tuple[OutboxShape, ...], query=OutboxQuery, role=Role.SUPERVISOR
)
async def list_outbox(asked: Asked) -> tuple[OutboxShape, ...]:
    """List answers by state; without one, those that somebody should look at."""
    states = [each for each in OutboxState if each.value in asked.query.state.split(",")]
    found = await asked.deps.store.read(_outbox, states)
    return tuple(map(OutboxShape.of, found))


def _outbox(unit: Unit, states: list[OutboxState]) -> tuple[OutboxRow, ...]:
    return unit.outbox.listed(states)


async def _decide(asked: Asked, verb: Any) -> OutboxShape:
    row = OutboxId(asked.part("row"))
    await asked.deps.store.transact(verb, row, by=asked.agent.id, at=asked.at)
    return OutboxShape.of(await asked.deps.store.read(_row, row))


def _row(unit: Unit, row: OutboxId) -> OutboxRow:
    return unit.outbox.get(row)


@operations.add("POST", "/outbox/{row}/requeue", answer=OutboxShape, role=Role.SUPERVISOR)
async def requeue_answer(asked: Asked) -> OutboxShape:
    """Try an answer again, from the first call that the platform has not accepted."""
    return await _decide(asked, delivery.requeue)


@operations.add("POST", "/outbox/{row}/drop", answer=OutboxShape, role=Role.SUPERVISOR)
async def drop_answer(asked: Asked) -> OutboxShape:
    """Let an answer go."""
    return await _decide(asked, delivery.drop)


@operations.add("POST", "/outbox/{row}/confirm", answer=OutboxShape, role=Role.SUPERVISOR)
async def confirm_answer(asked: Asked) -> OutboxShape:
    """Say that an answer in doubt has arrived."""
    return await _decide(asked, delivery.confirm)


# ----- deliveries ---------------------------------------------------------------------------------


@operations.add(
    "GET",
    "/deliveries",
    answer=tuple[DeliveryShape, ...],
    query=DeliveriesQuery,
    role=Role.SUPERVISOR,
)
async def list_deliveries(asked: Asked) -> tuple[DeliveryShape, ...]:
    """List kept deliveries, newest first; without a state, those that nobody could read."""
    found = await asked.deps.store.read(_deliveries, asked.query)
    return tuple(map(DeliveryShape.of, found))


def _deliveries(unit: Unit, wished: DeliveriesQuery) -> tuple[RawDelivery, ...]:
    return unit.journal.deliveries(state=wished.state, limit=wished.limit)


@operations.add("GET", "/deliveries/{delivery}", answer=RawShape, role=Role.SUPERVISOR)
async def get_delivery(asked: Asked) -> RawShape:
    """Show a delivery byte for byte."""
    raw = await asked.deps.store.read(_delivery, asked.part("delivery"))
    return RawShape(
        delivery=DeliveryShape.of(raw),
        url=raw.url,
        headers=dict(raw.headers),
        body_b64=base64.b64encode(raw.body).decode(),
    )


def _delivery(unit: Unit, wished: str) -> RawDelivery:
    return unit.journal.delivery(wished)


@operations.add("POST", "/deliveries/{delivery}/replay", answer=ReplayedShape, role=Role.SUPERVISOR)
async def replay_delivery(asked: Asked) -> ReplayedShape:
    """Read a kept delivery once more, with the adapter as it is now."""
    taken = await replay(asked.deps, asked.part("delivery"))
    return ReplayedShape(new=len(taken.added), known=taken.known, ignored=taken.ignored)


@operations.add("GET", "/ignored", answer=tuple[CountShape, ...], role=Role.SUPERVISOR)
async def list_ignored(asked: Asked) -> tuple[CountShape, ...]:
    """List what came and was not used, by account and kind."""
    counts = await asked.deps.store.read(_counts)
    return tuple(
        CountShape(account=account, kind=kind, count=count)
        for (account, kind), count in counts.items()
    )


def _counts(unit: Unit) -> Any:
    return unit.journal.counts()
