"""What has happened: domain events, past tense, written to the log with what they changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.domain.ids import AgentId, CaseId, ContactId, ConversationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One entry of the event log: what happened, and to whom.

    ``kind`` is one of `KINDS`. ``facts`` are small and hold no customer's words.
    """

    kind: str
    contact: ContactId | None = None
    conversation: ConversationId | None = None
    case: CaseId | None = None
    agent: AgentId | None = None
    facts: dict[str, Any] | None = None


#: Every kind of event and what it says.
KINDS: dict[str, str] = {
    "interaction_taken": "something came in from a channel",
    "interaction_changed": "a message was edited or recalled",
    "interactions_read": "a reader has understood what was unread of a contact",
    "reading_corrected": "a colleague said how a message is to be read",
    "bell_rung": "a platform says that there is something to pull",
    "call_ended": "a call is over",
    "reply_queued": "an answer of ours stands in the outbox",
    "reply_settled": "an answer was sent, refused, given up or put in doubt",
    "note_added": "a colleague wrote a note",
    "conversation_opened": "a contact began a conversation",
    "conversation_queued": "a conversation stands in line",
    "conversation_triaged": "needs, queue or priority of a conversation changed",
    "handed_to_bot": "the bot took a conversation",
    "handed_to_human": "the bot gave a conversation to a person",
    "offer_made": "a place with an agent is held",
    "offer_accepted": "the agent took the offer",
    "offer_declined": "the agent refused the offer",
    "offer_lapsed": "the agent did not answer the offer in time",
    "offer_withdrawn": "the offer was taken back",
    "conversation_taken": "a person took a conversation over",
    "conversation_transferred": "a conversation went to another agent or queue",
    "conversation_overflowed": "a conversation waited too long and went to another queue",
    "plan_followed": "nobody took a conversation in a step of its queue's plan; the next began",
    "conversation_parked": "an agent put a conversation aside",
    "conversation_resumed": "a conversation went on",
    "wrap_up_started": "the contact has gone, the agent records what came of it",
    "conversation_closed": "a conversation is over",
    "priority_raised": "a supervisor changed a conversation's priority",
    "case_opened": "a complaint became a case",
    "case_joined": "another complaint joined an open case",
    "case_acknowledged": "the customer was told that the complaint is known",
    "case_owned": "an agent owns a case",
    "case_enqueued": "a case stands in a queue",
    "case_escalated": "a case was not handled in time and went one level up",
    "case_changed": "severity, topic or order of a case was corrected",
    "case_resolved": "a case was resolved",
    "case_reopened": "a resolved case was opened again",
    "follow_up_asked": "the customer was asked whether a resolved complaint is solved",
    "case_confirmed": "the customer says that it is solved",
    "case_denied": "the customer says that it is not solved",
    "rating_asked": "the customer was asked how a conversation was",
    "rating_given": "the customer rated a conversation",
    "crisis_raised": "many complain about one thing",
    "crisis_drafted": "a statement on a crisis was drafted",
    "crisis_approved": "the statement on a crisis was approved",
    "crisis_pinned": "the statement on a crisis is said first from now on",
    "crisis_ended": "a crisis is over",
    "merge_proposed": "two contacts are probably one person",
    "contacts_merged": "two contacts are one person",
    "contacts_split": "a merge was undone",
    "contact_changed": "name, note or standing of a contact changed",
    "identity_linked": "an identity was recognised as a known person",
    "presence_changed": "an agent became available, busy, away or offline",
    "presence_asked": "an agent asked a supervisor for leave to stop taking work",
    "presence_declined": "a supervisor refused it",
    "agent_changed": "skills, capacity or role of an agent changed",
    "alert_raised": "somebody must look at something now",
    "article_changed": "an article was written, reviewed, published or withdrawn",
    "script_changed": "a script was written, reviewed, approved or withdrawn, or is under trial",
    "product_changed": "a product was added or its state or words changed",
    "handover_written": "a model has summed up what an agent takes over",
    "remembered_changed": "a note to remember about a person was written, changed or taken away",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An event with its place in the log; ``seq`` grows in the order of commits."""

    seq: int
    at: datetime
    event: Happened
