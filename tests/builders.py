"""One builder for each value: a plausible one, with what the test cares about said by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from router.channel.contract import HttpCall, Outbound
from router.domain.article import Article, ArticleState
from router.domain.case import Case, CaseStatus
from router.domain.contact import Contact
from router.domain.content import Text
from router.domain.conversation import Conversation, Queued
from router.domain.identity import Identity
from router.domain.ids import (
    AccountName,
    AgentId,
    CaseId,
    ChannelName,
    ContactId,
    ConversationId,
    InteractionId,
    OutboxId,
    ProductId,
    QueueName,
    ReservationId,
    Skill,
)
from router.domain.product import Product, ProductState
from router.domain.reading import Alarm, Intent, Reading
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.domain.workforce import Agent, Need, Presence, Role
from router.service.records import KnownIdentity, OutboxRow, OutboxState, Reservation

NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)


def a_contact(contact: str = "contact-1", **changes: Any) -> Contact:
    """Return somebody who stands for themselves."""
    plain = Contact(
        id=ContactId(contact),
        root=ContactId(contact),
        name="林小满",
        language="zh",
        vip=False,
        created_at=NOW,
    )
    return replace(plain, **changes)


def an_identity(external_id: str = "o-lin", **changes: Any) -> Identity:
    """Return how the shop's WeChat account knows somebody."""
    plain = Identity(
        channel=ChannelName("wechat"), account=AccountName("shop-wechat"), external_id=external_id
    )
    return replace(plain, **changes)


def a_known_identity(external_id: str = "o-lin", **changes: Any) -> KnownIdentity:
    """Return an identity that was seen before."""
    plain = KnownIdentity(
        identity=an_identity(external_id),
        contact=ContactId("contact-1"),
        name="小满",
        following=True,
        first_seen_at=NOW,
        last_seen_at=NOW,
        profile_asked_at=None,
    )
    return replace(plain, **changes)


def a_conversation(conversation: str = "conversation-1", **changes: Any) -> Conversation:
    """Return a conversation that waits in line."""
    plain = Conversation(
        id=ConversationId(conversation),
        contact=ContactId("contact-1"),
        channel=ChannelName("wechat"),
        account=AccountName("shop-wechat"),
        external_id="o-lin",
        thread="",
        queue=QueueName("general"),
        state=Queued(since=NOW),
        needs=frozenset({Need(skill=Skill("billing"), least=2)}),
        language="zh",
        priority=0,
        public=False,
        opened_at=NOW,
        waiting_since=NOW,
        first_answer_at=None,
        last_in_at=NOW,
        last_out_at=None,
        unread=0,
        bot_ok=False,
        wants_human=False,
        flagged=False,
        previous_agent=None,
        excluded=frozenset(),
        subject="",
        disposition="",
        disposition_note="",
        closed_at=None,
        last_seq=0,
        version=0,
    )
    return replace(plain, **changes)


def an_interaction(interaction: str = "interaction-1", **changes: Any) -> Interaction:
    """Return a message that came in and was not read yet; ``external_id`` follows the id."""
    plain = Interaction(
        id=InteractionId(interaction),
        contact=ContactId("contact-1"),
        conversation=ConversationId("conversation-1"),
        channel=ChannelName("wechat"),
        account=AccountName("shop-wechat"),
        external_id=f"msg-{interaction}",
        direction=Direction.IN,
        kind=Kind.MESSAGE,
        author="",
        author_name="",
        content=Text(text="我的沙发什么时候到?"),
        at=NOW,
        received_at=NOW + timedelta(seconds=1),
        seq=1,
        public=False,
        final=True,
        sending=Sending.NONE,
        why="",
        edited_at=None,
        recalled_at=None,
        reading=None,
        unread=True,
    )
    return replace(plain, **changes)


def a_reading(**changes: Any) -> Reading:
    """Return the reading of a harmless question."""
    plain = Reading(
        language="zh",
        intent=Intent.LOGISTICS,
        complaint=Alarm.NONE,
        complaint_score=0.03125,
        severity=0,
        wants_human=False,
        sentiment=0.0,
        entities=(),
        because=(),
        reader="rules 1",
    )
    return replace(plain, **changes)


def a_case(case: str = "case-1", **changes: Any) -> Case:
    """Return an open complaint that stands in a queue."""
    plain = Case(
        id=CaseId(case),
        contact=ContactId("contact-1"),
        status=CaseStatus.OPEN,
        severity=2,
        topic="delivery",
        summary="沙发晚了三周还没到,我要投诉",
        order="SO-20260211-0007",
        opened_at=NOW,
        opened_by=InteractionId("interaction-1"),
        conversation=ConversationId("conversation-1"),
        owner=None,
        queue=QueueName("complaints"),
        level=0,
        due_at=NOW + timedelta(hours=4),
        last_at=NOW,
    )
    return replace(plain, **changes)


def an_agent(agent: str = "agent-1", **changes: Any) -> Agent:
    """Return an agent who is available; the login is the id."""
    plain = Agent(
        id=AgentId(agent),
        login=agent,
        name="苏言",
        role=Role.AGENT,
        skills={Skill("billing"): 3, Skill("furniture"): 5},
        families=frozenset(),
        languages=frozenset({"zh"}),
        capacity=1.0,
        presence=Presence.AVAILABLE,
        presence_since=NOW,
        active=True,
    )
    return replace(plain, **changes)


def a_reservation(reservation: str = "reservation-1", **changes: Any) -> Reservation:
    """Return a live reservation."""
    plain = Reservation(
        id=ReservationId(reservation),
        conversation=ConversationId("conversation-1"),
        agent=AgentId("agent-1"),
        weight=0.25,
        offered_at=NOW,
        until=NOW + timedelta(seconds=30),
        ended="",
        ended_at=None,
        seen_seq=7,
        fence=1,
    )
    return replace(plain, **changes)


def a_message(recipient: str = "o-lin", **changes: Any) -> Outbound:
    """Return a few words to somebody."""
    plain = Outbound(
        id="interaction-2", recipient=recipient, content=Text(text="您好,马上为您查。"), at=NOW
    )
    return replace(plain, **changes)


def a_call(**changes: Any) -> HttpCall:
    """Return a call to a platform that nobody has signed."""
    plain = HttpCall(
        method="POST",
        url="https://api.example.com/send",
        headers=(("content-type", "application/json"),),
        body='{"text":"您好"}'.encode(),
        note="part 1",
    )
    return replace(plain, **changes)


def an_outbox_row(row: str = "outbox-1", *, to: str = "o-lin", **changes: Any) -> OutboxRow:
    """Return an answer that is queued and due."""
    plain = OutboxRow(
        id=OutboxId(row),
        interaction=InteractionId("interaction-2"),
        conversation=ConversationId("conversation-1"),
        account=AccountName("shop-wechat"),
        message=a_message(to),
        calls=(),
        next_call=0,
        state=OutboxState.QUEUED,
        attempts=0,
        created_at=NOW,
        next_at=NOW,
        why="",
        reason="",
        settled_at=None,
    )
    return replace(plain, **changes)


def an_article(article: str = "returns", **changes: Any) -> Article:
    """Return an article that nobody has saved yet."""
    plain = Article(
        id=article,
        state=ArticleState.PUBLISHED,
        category="after-sales",
        questions=("怎么退货?", "How do I return it? 📦"),
        answer_zh="七天无理由。",
        answer_en="Within seven days.",
        channels=frozenset({"wechat"}),
        updated_at=NOW,
        updated_by="agent-1",
        version=0,
    )
    return replace(plain, **changes)


def a_product(product: str = "sofa", **changes: Any) -> Product:
    """Return a product on sale that nobody has saved yet."""
    plain = Product(
        id=ProductId(product),
        state=ProductState.ON_SALE,
        title={"zh": product, "en": product},
        words=(),
        since=NOW,
        updated_by="agent-1",
    )
    return replace(plain, **changes)
