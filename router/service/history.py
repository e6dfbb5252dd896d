"""Writing history: one interaction after the other, each with its conversation kept true."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from router.channel.contract import (
    Speaker,
)
from router.domain.changed import changed
from router.domain.content import Content, Media, plain_text
from router.domain.conversation import (
    Closed,
    Conversation,
    Elsewhere,
    Parked,
    Queued,
    Resume,
    WrapUp,
    responsible,
    step,
)
from router.domain.events import Happened
from router.domain.identity import Claim, Identity
from router.domain.ids import (
    ContactId,
    ConversationId,
    InteractionId,
    MediaId,
)
from router.domain.policy import ShopPolicy
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.service.arrivals import Delivery
from router.service.identify import recognise
from router.service.media import STORED
from router.service.records import EarlyChange, MediaRow
from router.service.unit import Unit

#: How much of the customer's words a list shows.
_SUBJECT = 120
_DIRECTION: Mapping[Speaker, Direction] = {
    Speaker.CONTACT: Direction.IN,
    Speaker.UNKNOWN: Direction.IN,  # a call's unknown voice may be the customer's: it is read
    Speaker.AGENT: Direction.ELSEWHERE,
    Speaker.BOT: Direction.ELSEWHERE,
    Speaker.SYSTEM: Direction.INTERNAL,
}


class History:
    """One delivery on its way onto the timelines, with a tally of what it brought."""

    def __init__(self, unit: Unit, delivery: Delivery, policy: ShopPolicy) -> None:
        self.unit, self.delivery, self.source = unit, delivery, delivery.source
        self.policy = policy
        self.added: list[Interaction] = []
        self.named: list[tuple[str, InteractionId, int]] = []
        self.conversations: dict[ConversationId, None] = {}
        self.known = 0

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

    def again(self, external_id: str) -> bool:
        earlier = self.unit.conversations.by_external(self.source.account, external_id)
        if earlier is None:
            return False
        self.known += 1
        self.named.append((external_id, earlier.id, earlier.seq))
        return True

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
            return self.closed_shell(contact, sender, at, thread=thread)
        opened = self._new(contact, sender, thread, at=at, public=public)
        self.unit.conversations.add(opened)
        self.unit.record(
            Happened(kind="conversation_opened", contact=contact, conversation=opened.id),
            at=self.delivery.received_at,
        )
        return opened

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

    def closed_shell(
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
        self.unit.conversations.append(
            interaction,
            reply_handle=reply_handle,
            urgent=heard and external_id in self.delivery.urgent,
        )
        conversation = self._after(conversation, interaction)
        self.unit.conversations.save(conversation)
        self._remember(interaction)
        for change in self.unit.conversations.take_early(self.source.account, external_id):
            self.change(self.unit.conversations.interaction(interaction.id), change)
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
        return changed(
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
        came = self.delivery.files.get(content.ref)
        if came is not None:
            return self._enclosed(interaction, content, came)
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

    def _enclosed(self, said: Interaction, content: Media, came: MediaRow) -> Interaction:
        """Say where the file lies that came with the delivery; the same file is kept once."""
        if self.unit.journal.media_known(came.id):
            row = self.unit.journal.media(came.id)
        else:
            row = replace(came, interaction=said.id, content=content)
            self.unit.journal.want_media(row)
        if row.state != STORED:
            return said
        kept = replace(content, stored=row.id, mime=row.mime, size=row.size)
        return replace(said, content=kept)

    def change(self, target: Interaction, change: EarlyChange) -> None:
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
                target.id,
                content=content,
                edited_at=change.at,
                unread=heard,
                urgent=heard and target.external_id in self.delivery.urgent,
            )
            if heard and not target.unread:
                self.count_unread(target.conversation)
        self.note_change(target)

    def _edited(self, said: Interaction, now: Content) -> Content:
        """Return what an edit says: our copy of the same file is kept, another file is wanted."""
        before = said.content
        if isinstance(before, Media) and isinstance(now, Media) and _same_file(before, now):
            mime, size = before.mime or now.mime, before.size or now.size
            return replace(now, stored=before.stored, mime=mime, size=size)
        self._with_media(replace(said, content=now))
        return now

    def note_change(self, target: Interaction) -> None:
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

    def count_unread(self, conversation: ConversationId) -> None:
        held = self.unit.conversations.get(conversation)
        self.unit.conversations.save(replace(held, unread=held.unread + 1))


def _same_file(one: Media, other: Media) -> bool:
    return (one.ref, one.link) == (other.ref, other.link)
