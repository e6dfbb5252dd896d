"""A delivery becomes history: dedupe, resolve the contact, append. One transaction a batch."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import assert_never

from router.channel.contract import (
    Bell,
    CallEnded,
    Edited,
    Event,
    Followed,
    Following,
    Identified,
    Ignored,
    Presence,
    Rated,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    ShopEvent,
    Speaker,
    Turn,
)
from router.domain.content import Text, plain_text
from router.domain.conversation import (
    Close,
    Conversation,
    Elsewhere,
    Requeue,
    step,
)
from router.domain.events import Happened
from router.domain.identity import Claim, Identity
from router.domain.ids import (
    ContactId,
)
from router.domain.policy import ShopPolicy
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.service.arrivals import Delivery, TakenIn
from router.service.history import History
from router.service.identify import claim
from router.service.keys import fitted, fitted_claim
from router.service.ports import Conflict
from router.service.records import EarlyChange
from router.service.repository.mentioned import mentioned
from router.service.room import kept_as
from router.service.unit import Unit

#: How often a batch is tried as a whole before each delivery is taken in by itself.
_TOGETHER = 2
_RANK = {Sending.QUEUED: 0, Sending.SENT: 1, Sending.DELIVERED: 2, Sending.READ: 3}
_REACHED = {
    ReceiptState.SENT: Sending.SENT,
    ReceiptState.DELIVERED: Sending.DELIVERED,
    ReceiptState.READ: Sending.READ,
    ReceiptState.REFUSED: Sending.REFUSED,
}


def take_in_batch(
    unit: Unit, deliveries: Sequence[Delivery], policy: ShopPolicy
) -> tuple[TakenIn | Exception, ...]:
    """Take in deliveries in the order of arrival; one that fails undoes only itself."""
    for _ in range(_TOGETHER):
        try:
            return tuple(unit.attempt(take_in_together, deliveries, policy))
        except Conflict:
            continue  # another daemon wrote to the same people: look again
        except Exception:  # noqa: BLE001  one by one it shows whose fault it is
            break
    results: list[TakenIn | Exception] = []
    for delivery in deliveries:
        try:
            results.append(unit.attempt(take_in, delivery, policy))
        except Exception as error:  # noqa: BLE001  handed to whoever delivered it
            results.append(error)
    return tuple(results)


def take_in_together(
    unit: Unit, deliveries: Sequence[Delivery], policy: ShopPolicy
) -> tuple[TakenIn, ...]:
    """Take in deliveries with few questions and few writes for all of them."""
    named = mentioned((each.source.account, event) for each in deliveries for event in each.events)
    with unit.gathered(named) as inside:
        return tuple(take_in(inside, delivery, policy) for delivery in deliveries)


def take_in(unit: Unit, delivery: Delivery, policy: ShopPolicy) -> TakenIn:
    """Write what ``delivery`` says. A second copy of the same changes nothing."""
    taking = _Taking(unit, delivery, policy)
    if delivery.raw is not None:
        unit.journal.keep_delivery(delivery.raw)
    for event in delivery.events:
        taking.take(fitted(event))
    return taking.done()


class _Taking:
    """The events of one delivery, one after the other; each kind has its own arm."""

    def __init__(self, unit: Unit, delivery: Delivery, policy: ShopPolicy) -> None:
        self.unit, self.delivery, self.source = unit, delivery, delivery.source
        self.history = History(unit, delivery, policy)
        self.ignored = self.bells = 0

    def done(self) -> TakenIn:
        return TakenIn(
            added=tuple(self.history.added),
            known=self.history.known,
            ignored=self.ignored,
            named=tuple(self.history.named),
            conversations=tuple(self.history.conversations),
            bells=self.bells,
        )

    def take(self, event: Event) -> None:  # noqa: C901, PLR0912  one arm for each kind of event
        match event:
            case Received():
                self.received(event)
            case Turn():
                self.turn(event)
            case CallEnded():
                self.call_ended(event)
            case Edited() | Recalled():
                self.changed(event)
            case Receipt():
                self.receipt(event)
            case Followed():
                self.followed(event)
            case ShopEvent():
                self.shop(event)
            case Rated():
                self.rated(event)
            case Identified():
                self.history.person(event.sender, event.claims, event.sender_name, event.at)
            case Presence():
                pass
            case Bell():
                self.unit.journal.ring(self.source.account, event.cursor_key, hint=event.hint)
                self.unit.record(
                    Happened(kind="bell_rung", facts={"account": self.source.account}),
                    at=self.delivery.received_at,
                )
                self.bells += 1
            case Ignored(kind=kind):
                self.ignored += 1
                self.unit.journal.count(self.source.account, kind)
            case _ as never:
                assert_never(never)

    def received(self, event: Received) -> None:
        if self._echo_of_ours(event):
            self.history.known += 1
            return
        name = event.sender_name if _wakes(event.by) else ""  # else it is a colleague's
        contact = self.history.person(event.sender, event.claims, name, event.at, event.language)
        if self.history.again(event.external_id):
            return
        public = event.audience == "public"
        opens = _wakes(event.by) and not event.standby
        conversation = self.history.conversation(
            contact, event.sender, event.thread, at=event.at, public=public, opens=opens
        )
        self.history.write(
            conversation,
            contact,
            external_id=event.external_id,
            content=event.content,
            by=event.by,
            author_name=event.sender_name,
            kind=Kind.COMMENT if public else Kind.MESSAGE,
            at=event.at,
            public=public,
            reply_handle=event.reply_handle,
        )
        if event.opens_window and event.by is Speaker.CONTACT:
            self.window(event.sender, event.opens_window, event.external_id)

    def turn(self, event: Turn) -> None:
        contact = self.history.person(event.sender, event.claims, "", event.at, event.language)
        earlier = self.unit.conversations.by_external(self.source.account, event.external_id)
        if earlier is not None:
            self._replaced(earlier, event)
            return
        if not event.final and not event.text:
            return  # a segment that was emptied before it was ever heard
        conversation = self.history.call(contact, event.sender, event.call, event.at)
        self.history.write(
            conversation,
            contact,
            external_id=event.external_id,
            content=Text(text=event.text),
            by=event.by,
            author_name=event.speaker_name,
            kind=Kind.TURN,
            at=event.at,
            final=event.final,
        )

    def _replaced(self, earlier: Interaction, event: Turn) -> None:
        if earlier.final and (not event.final or plain_text(earlier.content) == event.text):
            self.history.known += 1
            return
        heard = earlier.direction is Direction.IN
        self.unit.conversations.rewrite(
            earlier.id,
            content=Text(text=event.text),
            edited_at=None,
            final=event.final,
            unread=heard,
            urgent=heard and event.external_id in self.delivery.urgent,
        )
        if heard and not earlier.unread:
            self.history.count_unread(earlier.conversation)
        self.history.note_change(earlier)

    def call_ended(self, event: CallEnded) -> None:
        contact = self.history.person(event.sender, event.claims, "", event.at)
        if self.history.again(event.external_id):
            return
        words = "missed_call" if event.missed else "call_ended"
        conversation = self.history.write(
            self.history.call(contact, event.sender, event.call, event.at),
            contact,
            external_id=event.external_id,
            content=Text(text=words),
            by=Speaker.SYSTEM,
            author_name="",
            kind=Kind.CALL,
            at=event.at,
        )
        self.unit.record(
            Happened(
                kind="call_ended",
                contact=contact,
                conversation=conversation.id,
                facts={"missed": event.missed},
            ),
            at=self.delivery.received_at,
        )
        if isinstance(conversation.state, Elsewhere):
            self._call_over(conversation, event)

    def _call_over(self, conversation: Conversation, event: CallEnded) -> None:
        """A missed call waits for somebody to call back; an answered one is over."""
        now = self.delivery.received_at
        if event.missed:
            state = step(conversation.state, Requeue(at=now))
            changed = replace(conversation, state=state, waiting_since=now)
        else:
            state = step(conversation.state, Close(at=now))
            changed = replace(conversation, state=state, closed_at=now, disposition="call")
        self.unit.conversations.save(changed)
        kind = "conversation_queued" if event.missed else "conversation_closed"
        self.unit.record(
            Happened(kind=kind, contact=conversation.contact, conversation=conversation.id),
            at=now,
        )

    def changed(self, event: Edited | Recalled) -> None:
        target = self.unit.conversations.by_external(self.source.account, event.target)
        content = event.content if isinstance(event, Edited) else None
        if target is None:
            kept = self.unit.conversations.keep_early(
                self.source.account,
                event.external_id,
                EarlyChange(target=event.target, at=event.at, content=content),
            )
            self.history.known += not kept
            return
        self.history.change(target, EarlyChange(target=event.target, at=event.at, content=content))

    def receipt(self, event: Receipt) -> None:
        state = _REACHED[event.state]
        if not event.target:
            self._read_up_to(event, state)
            return
        interaction = self.unit.outbox.sent(self.source.account, event.target)
        if interaction is None:
            try_id = self.unit.conversations.by_external(self.source.account, f"out:{event.target}")
            interaction = try_id.id if try_id else None
        if interaction is None:
            self.ignored += 1
            self.unit.journal.count(self.source.account, f"receipt_unmatched:{event.state}")
            return
        self._reach(self.unit.conversations.interaction(interaction), state, event.why)

    def _read_up_to(self, event: Receipt, state: Sending) -> None:
        live = self.unit.conversations.live(self.source.account, event.sender, "")
        if live is None:
            self.ignored += 1
            return
        for said in self.unit.conversations.said_in(live.id):
            if said.direction is Direction.OUT and said.at <= event.at:
                self._reach(said, state, "")

    def _reach(self, ours: Interaction, state: Sending, why: str) -> None:
        higher = _RANK.get(state, -1) > _RANK.get(ours.sending, -1)
        refused = state is Sending.REFUSED and ours.sending is not Sending.READ
        if not (higher or refused) or ours.sending is state:
            self.history.known += 1
            return
        self.unit.conversations.set_sending(ours.id, state, why=why)
        self.history.conversations[ours.conversation] = None
        self.unit.record(
            Happened(
                kind="reply_settled",
                contact=ours.contact,
                conversation=ours.conversation,
                facts={"interaction": ours.id, "sending": state},
            ),
            at=self.delivery.received_at,
        )

    def followed(self, event: Followed) -> None:
        contact = self.history.person(event.sender, event.claims, event.sender_name, event.at)
        following = event.what in {Following.FOLLOWED, Following.ENTERED}
        self.unit.contacts.seen(
            self.history.identity(event.sender),
            at=event.at,
            name=event.sender_name,
            following=following,
        )
        if event.opens_window:
            self.window(event.sender, event.opens_window, event.external_id)
        if event.what in {Following.LEFT, Following.BLOCKED}:
            self.unit.outbox.close_windows(self.source.account, event.sender, at=event.at)
        self.fact(
            contact,
            event.sender,
            external_id=event.external_id,
            words=event.what if not event.source else f"{event.what} ({event.source})",
            kind=Kind.FOLLOW,
            at=event.at,
        )

    def shop(self, event: ShopEvent) -> None:
        contact = self.history.person(event.sender, event.claims, "", event.at)
        self.fact(
            contact,
            event.sender,
            external_id=event.external_id,
            words=f"{event.kind} {event.order} {event.summary}".strip(),
            kind=Kind.SHOP,
            at=event.at,
        )
        if event.words:  # they come again with each change of the order, and are read once
            said = sha256(event.words.encode("utf-8", "replace")).hexdigest()[:16]
            self.fact(
                contact,
                event.sender,
                external_id=f"words:{event.order}:{said}",
                words=event.words,
                kind=Kind.SHOP,
                at=event.at,
                by=Speaker.CONTACT,
            )

    def rated(self, event: Rated) -> None:
        contact = self.history.person(event.sender, (), "", event.at)
        words = f"{event.score}/5 {event.comment}".strip()
        self.fact(
            contact,
            event.sender,
            external_id=event.external_id,
            words=words,
            kind=Kind.RATING,
            at=event.at,
            by=Speaker.CONTACT if event.comment else Speaker.SYSTEM,  # what was written is read
        )

    def fact(
        self,
        contact: ContactId,
        sender: str,
        *,
        external_id: str,
        words: str,
        kind: Kind,
        at: datetime,
        by: Speaker = Speaker.SYSTEM,
    ) -> None:
        """Put something on the timeline that nobody has to answer."""
        if self.history.again(external_id):
            return
        live = self.unit.conversations.live(self.source.account, sender, "")
        if live is None:
            live = self.history.closed_shell(contact, sender, at)
        self.history.write(
            live,
            contact,
            external_id=external_id,
            content=Text(text=words),
            by=by,
            author_name="",
            kind=kind,
            at=at,
        )

    def window(self, sender: str, kind: str, source: str) -> None:
        for window in self.source.capabilities.windows:
            if window.kind == kind:
                kept, of = kept_as(window, source)
                self.unit.outbox.open_window(
                    self.source.account,
                    sender,
                    source=of,
                    kind=kept,
                    opened_at=self.delivery.received_at,
                    closes_at=self.delivery.received_at + window.lasts,
                    sends=window.sends,
                )

    def _echo_of_ours(self, event: Received) -> bool:
        return (
            event.by is Speaker.AGENT
            and self.unit.outbox.sent(self.source.account, event.external_id) is not None
        )


def _wakes(by: Speaker) -> bool:
    """Return whether a word of this speaker opens a conversation that somebody must answer."""
    return by in {Speaker.CONTACT, Speaker.UNKNOWN}


def learn(
    unit: Unit,
    identity: Identity,
    *,
    claims: tuple[Claim, ...],
    name: str,
    policy: ShopPolicy,
    at: datetime,
) -> None:
    """Keep what a platform's profile says about a person; may join two contacts."""
    unit.contacts.seen(identity, at=at, name=name)
    for each in map(fitted_claim, claims):
        claim(unit, identity, each, policy=policy, at=at)
