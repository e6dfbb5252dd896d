"""A delivery becomes history: dedupe, resolve the contact, append. One transaction a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from router.channel.contract import (
    Bell,
    CallEnded,
    Capabilities,
    Edited,
    Event,
    Family,
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
from router.domain.content import Content, Media, Text, plain_text
from router.domain.conversation import (
    Close,
    Closed,
    Conversation,
    Elsewhere,
    Parked,
    Queued,
    Requeue,
    Resume,
    WrapUp,
    responsible,
    step,
)
from router.domain.events import Happened
from router.domain.identity import Claim, Identity
from router.domain.ids import (
    AccountName,
    ChannelName,
    ContactId,
    ConversationId,
    InteractionId,
    MediaId,
    QueueName,
)
from router.domain.policy import ShopPolicy
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.service.identify import claim, recognise
from router.service.records import EarlyChange, MediaRow, RawDelivery
from router.service.unit import Unit

#: How much of the customer's words a list shows.
_SUBJECT = 120
_RANK = {Sending.QUEUED: 0, Sending.SENT: 1, Sending.DELIVERED: 2, Sending.READ: 3}
_REACHED = {
    ReceiptState.SENT: Sending.SENT,
    ReceiptState.DELIVERED: Sending.DELIVERED,
    ReceiptState.READ: Sending.READ,
    ReceiptState.REFUSED: Sending.REFUSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The account that a delivery came to."""

    account: AccountName
    channel: ChannelName
    family: Family
    queue: QueueName
    capabilities: Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one delivery says, with the raw bytes if they are to be kept."""

    source: Source
    events: tuple[Event, ...]
    received_at: datetime
    raw: RawDelivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What became of a delivery: interactions that are new, and how many events were known."""

    added: tuple[Interaction, ...]
    known: int
    ignored: int
    #: (external id of the event, interaction) for those who must answer with our ids.
    named: tuple[tuple[str, InteractionId, int], ...]
    conversations: tuple[ConversationId, ...]
    bells: int


def take_in_batch(
    unit: Unit, deliveries: Sequence[Delivery], policy: ShopPolicy
) -> tuple[TakenIn | Exception, ...]:
    """Take in deliveries in the order of arrival; one that fails undoes only itself."""
    results: list[TakenIn | Exception] = []
    for delivery in deliveries:
        try:
            results.append(unit.attempt(take_in, delivery, policy))
        except Exception as error:  # noqa: BLE001  handed to whoever delivered it
            results.append(error)
    return tuple(results)


def take_in(unit: Unit, delivery: Delivery, policy: ShopPolicy) -> TakenIn:
    """Write what ``delivery`` says. A second copy of the same changes nothing."""
    taking = _Taking(unit, delivery, policy)
    if delivery.raw is not None:
        unit.journal.keep_delivery(delivery.raw)
    for event in delivery.events:
        taking.take(event)
    return taking.done()


class _Taking:
    """One delivery on its way into history."""

    def __init__(self, unit: Unit, delivery: Delivery, policy: ShopPolicy) -> None:
        self.unit, self.delivery, self.source = unit, delivery, delivery.source
        self.policy = policy
        self.added: list[Interaction] = []
        self.named: list[tuple[str, InteractionId, int]] = []
        self.conversations: dict[ConversationId, None] = {}
        self.known = self.ignored = self.bells = 0

    def done(self) -> TakenIn:
        return TakenIn(
            added=tuple(self.added),
            known=self.known,
            ignored=self.ignored,
            named=tuple(self.named),
            conversations=tuple(self.conversations),
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
                self.person(event.sender, event.claims, event.sender_name, event.at)
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

    # ----- who ---------------------------------------------------------------------------------

    def identity(self, external_id: str) -> Identity:
        return Identity(
            channel=self.source.channel, account=self.source.account, external_id=external_id
        )

    def person(
        self, sender: str, claims: tuple[Claim, ...], name: str, at: datetime, language: str = ""
    ) -> ContactId:
        contact = recognise(
            self.unit,
            self.identity(sender),
            claims=claims,
            name=name,
            language=language,
            policy=self.policy,
            at=at,
        )
        self.unit.contacts.lock(contact)
        return contact

    # ----- what was said -----------------------------------------------------------------------

    def received(self, event: Received) -> None:
        if self._echo_of_ours(event):
            self.known += 1
            return
        contact = self.person(
            event.sender, event.claims, event.sender_name, event.at, event.language
        )
        if self._again(event.external_id):
            return
        public = event.audience == "public"
        opens = _wakes(event.by) and not event.standby
        conversation = self.conversation(
            contact, event.sender, event.thread, at=event.at, public=public, opens=opens
        )
        self.write(
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
        contact = self.person(event.sender, event.claims, "", event.at, event.language)
        earlier = self.unit.conversations.by_external(self.source.account, event.external_id)
        if earlier is not None:
            self._replaced(earlier, event)
            return
        if not event.final and not event.text:
            return  # a segment that was emptied before it was ever heard
        conversation = self.call(contact, event.sender, event.call, event.at)
        self.write(
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
            self.known += 1
            return
        heard = earlier.direction is Direction.IN
        self.unit.conversations.rewrite(
            earlier.id,
            content=Text(text=event.text),
            edited_at=None,
            final=event.final,
            unread=heard,
        )
        if heard and not earlier.unread:
            self._count_unread(earlier.conversation)
        self._changed(earlier)

    def call_ended(self, event: CallEnded) -> None:
        contact = self.person(event.sender, event.claims, "", event.at)
        if self._again(event.external_id):
            return
        words = "missed_call" if event.missed else "call_ended"
        conversation = self.write(
            self.call(contact, event.sender, event.call, event.at),
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

    def call(self, contact: ContactId, sender: str, call: str, at: datetime) -> Conversation:
        """Return the conversation of a call; somebody on the phone has it."""
        known = self.unit.conversations.in_thread(self.source.account, call)
        if known is not None:
            return known
        opened = replace(
            self._new(contact, sender, call, at=at, public=False),
            state=Elsewhere(since=self.delivery.received_at),
        )
        self.unit.conversations.add(opened)
        self.unit.record(
            Happened(kind="conversation_opened", contact=contact, conversation=opened.id),
            at=self.delivery.received_at,
        )
        return opened

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
            self.known += not kept
            return
        self._change(target, EarlyChange(target=event.target, at=event.at, content=content))

    def _change(self, target: Interaction, change: EarlyChange) -> None:
        if change.content is None:
            if target.recalled_at is not None:
                self.known += 1
                return
            self.unit.conversations.recall(target.id, at=change.at)
        else:
            if target.edited_at is not None and target.edited_at >= change.at:
                self.known += 1
                return
            heard = target.direction is Direction.IN
            content = self._edited(target, change.content)
            self.unit.conversations.rewrite(
                target.id, content=content, edited_at=change.at, unread=heard
            )
            if heard and not target.unread:
                self._count_unread(target.conversation)
        self._changed(target)

    def _edited(self, said: Interaction, now: Content) -> Content:
        """Return what an edit says: our copy of the same file is kept, another file is wanted."""
        before = said.content
        if isinstance(before, Media) and isinstance(now, Media) and _same_file(before, now):
            mime, size = before.mime or now.mime, before.size or now.size
            return replace(now, stored=before.stored, mime=mime, size=size)
        self._with_media(replace(said, content=now))
        return now

    def _changed(self, target: Interaction) -> None:
        self.conversations[target.conversation] = None
        self.unit.record(
            Happened(
                kind="interaction_changed",
                contact=target.contact,
                conversation=target.conversation,
                facts={"interaction": target.id},
            ),
            at=self.delivery.received_at,
        )

    def _count_unread(self, conversation: ConversationId) -> None:
        held = self.unit.conversations.get(conversation)
        self.unit.conversations.save(replace(held, unread=held.unread + 1))

    # ----- what became of ours ------------------------------------------------------------------

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
            self.known += 1
            return
        self.unit.conversations.set_sending(ours.id, state, why=why)
        self.conversations[ours.conversation] = None
        self.unit.record(
            Happened(
                kind="reply_settled",
                contact=ours.contact,
                conversation=ours.conversation,
                facts={"interaction": ours.id, "sending": state},
            ),
            at=self.delivery.received_at,
        )

    # ----- the rest -----------------------------------------------------------------------------

    def followed(self, event: Followed) -> None:
        contact = self.person(event.sender, event.claims, event.sender_name, event.at)
        following = event.what in {Following.FOLLOWED, Following.ENTERED}
        self.unit.contacts.seen(
            self.identity(event.sender), at=event.at, name=event.sender_name, following=following
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
        contact = self.person(event.sender, event.claims, "", event.at)
        self.fact(
            contact,
            event.sender,
            external_id=event.external_id,
            words=f"{event.kind} {event.order} {event.summary}".strip(),
            kind=Kind.SHOP,
            at=event.at,
        )

    def rated(self, event: Rated) -> None:
        contact = self.person(event.sender, (), "", event.at)
        words = f"{event.score}/5 {event.comment}".strip()
        self.fact(
            contact,
            event.sender,
            external_id=event.external_id,
            words=words,
            kind=Kind.RATING,
            at=event.at,
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
    ) -> None:
        """Put something on the timeline that nobody has to answer."""
        if self._again(external_id):
            return
        live = self.unit.conversations.live(self.source.account, sender, "")
        if live is None:
            live = self._closed_shell(contact, sender, at)
        self.write(
            live,
            contact,
            external_id=external_id,
            content=Text(text=words),
            by=Speaker.SYSTEM,
            author_name="",
            kind=kind,
            at=at,
        )

    def window(self, sender: str, kind: str, source: str) -> None:
        for window in self.source.capabilities.windows:
            if window.kind == kind:
                self.unit.outbox.open_window(
                    self.source.account,
                    sender,
                    source=source,
                    kind=kind,
                    opened_at=self.delivery.received_at,
                    closes_at=self.delivery.received_at + window.lasts,
                    sends=window.sends,
                )

    # ----- writing -----------------------------------------------------------------------------

    def _again(self, external_id: str) -> bool:
        earlier = self.unit.conversations.by_external(self.source.account, external_id)
        if earlier is None:
            return False
        self.known += 1
        self.named.append((external_id, earlier.id, earlier.seq))
        return True

    def _echo_of_ours(self, event: Received) -> bool:
        return (
            event.by is Speaker.AGENT
            and self.unit.outbox.sent(self.source.account, event.external_id) is not None
        )

    def conversation(
        self,
        contact: ContactId,
        sender: str,
        thread: str,
        *,
        at: datetime,
        public: bool,
        opens: bool,
    ) -> Conversation:
        live = self.unit.conversations.live(self.source.account, sender, thread)
        if live is not None:
            return live
        if not opens:
            return self._closed_shell(contact, sender, at, thread=thread)
        opened = self._new(contact, sender, thread, at=at, public=public)
        self.unit.conversations.add(opened)
        self.unit.record(
            Happened(kind="conversation_opened", contact=contact, conversation=opened.id),
            at=self.delivery.received_at,
        )
        return opened

    def _closed_shell(
        self, contact: ContactId, sender: str, at: datetime, *, thread: str = ""
    ) -> Conversation:
        """Return a conversation that is over as it begins: for facts that need no answer."""
        opened = self._new(contact, sender, thread, at=at, public=False)
        shell = replace(opened, state=Closed(at=at), closed_at=at, disposition="fact")
        self.unit.conversations.add(shell)
        return shell

    def _new(
        self, contact: ContactId, sender: str, thread: str, *, at: datetime, public: bool
    ) -> Conversation:
        person = self.unit.contacts.get(contact)
        earlier = self.unit.conversations.of(self.unit.contacts.members(contact), limit=5)
        previous = next((each.previous_agent for each in earlier if each.previous_agent), None)
        return Conversation(
            id=ConversationId(self.unit.new_id()),
            contact=contact,
            channel=self.source.channel,
            account=self.source.account,
            external_id=sender,
            thread=thread,
            queue=self.source.queue,
            state=Queued(since=self.delivery.received_at),
            needs=frozenset(),
            language=person.language,
            priority=0,
            public=public,
            opened_at=self.delivery.received_at,
            waiting_since=None,
            first_answer_at=None,
            last_in_at=None,
            last_out_at=None,
            unread=0,
            bot_ok=False,
            wants_human=False,
            flagged=False,
            previous_agent=previous,
            excluded=frozenset(),
            subject="",
            disposition="",
            disposition_note="",
            closed_at=None,
            last_seq=0,
            version=0,
        )

    def write(
        self,
        conversation: Conversation,
        contact: ContactId,
        *,
        external_id: str,
        content: Content,
        by: Speaker,
        author_name: str,
        kind: Kind,
        at: datetime,
        public: bool = False,
        final: bool = True,
        reply_handle: str = "",
    ) -> Conversation:
        """Append one interaction and bring its conversation up to date."""
        direction = _DIRECTION[by]
        heard = direction is Direction.IN
        interaction = Interaction(
            id=InteractionId(self.unit.new_id()),
            contact=contact,
            conversation=conversation.id,
            channel=self.source.channel,
            account=self.source.account,
            external_id=external_id,
            direction=direction,
            kind=kind,
            author="" if heard else by.value,
            author_name=author_name,
            content=content,
            at=at,
            received_at=self.delivery.received_at,
            seq=conversation.last_seq + 1,
            public=public,
            final=final,
            sending=Sending.NONE,
            why="",
            edited_at=None,
            recalled_at=None,
            reading=None,
            unread=heard,
        )
        interaction = self._with_media(interaction)
        self.unit.conversations.append(interaction, reply_handle=reply_handle)
        conversation = self._after(conversation, interaction)
        self.unit.conversations.save(conversation)
        self._remember(interaction)
        for change in self.unit.conversations.take_early(self.source.account, external_id):
            self._change(self.unit.conversations.interaction(interaction.id), change)
        return self.unit.conversations.get(conversation.id)

    def _remember(self, interaction: Interaction) -> None:
        self.added.append(interaction)
        self.named.append((interaction.external_id, interaction.id, interaction.seq))
        self.conversations[interaction.conversation] = None
        self.unit.record(
            Happened(
                kind="interaction_taken",
                contact=interaction.contact,
                conversation=interaction.conversation,
                facts={
                    "interaction": interaction.id,
                    "direction": interaction.direction,
                    "unread": interaction.unread,
                },
            ),
            at=self.delivery.received_at,
        )

    def _after(self, held: Conversation, said: Interaction) -> Conversation:
        """Return the conversation after ``said``: clocks, counters, and waking what rests."""
        now = self.delivery.received_at
        heard = said.direction is Direction.IN
        state = held.state
        if heard and isinstance(state, WrapUp | Parked):
            state = step(state, Resume(at=now))
            self.unit.record(
                Happened(
                    kind="conversation_resumed",
                    contact=held.contact,
                    conversation=held.id,
                    agent=responsible(state),
                ),
                at=now,
            )
        spoken = said.direction is Direction.ELSEWHERE
        words = plain_text(said.content)[:_SUBJECT]
        return replace(
            held,
            state=state,
            last_seq=said.seq,
            unread=held.unread + (1 if said.unread else 0),
            last_in_at=now if heard else held.last_in_at,
            last_out_at=now if spoken else held.last_out_at,
            waiting_since=(held.waiting_since or now)
            if heard
            else None
            if spoken
            else held.waiting_since,
            subject=words if heard and words else held.subject,
        )

    def _with_media(self, interaction: Interaction) -> Interaction:
        content = interaction.content
        if not isinstance(content, Media) or not (content.ref or content.link) or content.stored:
            return interaction
        row = MediaRow(
            id=MediaId(self.unit.new_id()),
            account=self.source.account,
            interaction=interaction.id,
            state="wanted",
            content=content,
            mime=content.mime,
            name=content.name,
            size=content.size,
            sha256="",
            attempts=0,
            next_at=self.delivery.received_at,
            why="",
        )
        self.unit.journal.want_media(row)
        return interaction


_DIRECTION: Mapping[Speaker, Direction] = {
    Speaker.CONTACT: Direction.IN,
    Speaker.UNKNOWN: Direction.IN,  # a call's unknown voice may be the customer's: it is read
    Speaker.AGENT: Direction.ELSEWHERE,
    Speaker.BOT: Direction.ELSEWHERE,
    Speaker.SYSTEM: Direction.INTERNAL,
}


def _same_file(one: Media, other: Media) -> bool:
    return (one.ref, one.link) == (other.ref, other.link)


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
    for each in claims:
        claim(unit, identity, each, policy=policy, at=at)
