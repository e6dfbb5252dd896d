"""What codes mean in words: error codes, reasons, decisions, events, states; English source text.

A template says ``{{ case.status | said("case_status") }}``; the API says only the code and the
sentence of the topic ``error``. Translations stand in ``locale/zh_CN.server.po``.
"""

from collections.abc import Mapping
from typing import Final

from router.domain.events import KINDS
from router.service.audit import WRONG

_ERRORS: Final[Mapping[str, str]] = {
    "domain_error": "This cannot be done now.",
    "illegal_step": "This cannot be done in the state in which it is now. Reload and look again.",
    "cannot_merge": "These two contacts cannot be made one.",
    "cannot_split": "This merge cannot be undone; it was undone already.",
    "window_closed": "The platform's reply window is over. The customer must write first.",
    "window_quota": "The platform's number of replies is used up until the customer writes again.",
    "cannot_reply": "This conversation takes no replies, or not of this kind.",
    "not_yours": "Another agent has this. Take it over first.",
    "invalid": "A value is not allowed.",
    "case_still_open": "Acknowledge the complaint before you resolve it.",
    "promotion_held": "This customer has an open complaint: nothing promotional goes to them.",
    "own_work": "Somebody else must review or approve what you have written.",
    "not_filled": "A value that the script needs is not known.",
    "reply_held": "Your shop lets no such reply go. Word it otherwise.",
    "not_found": "There is no such thing, or it is not for you to see.",
    "conflict": "Somebody else changed it first. Look again and repeat what is still right.",
    "unauthenticated": "Sign in first.",
    "wrong_password": "Login or password is wrong.",
    "weak_password": "The new password needs at least 10 characters and must differ from the old.",
    "passwords_differ": "The two new passwords differ.",
    "must_change_password": "Choose a password of your own first.",
    "throttled": "Too many failed attempts. Wait a moment and try again.",
    "forbidden": "You may not do this.",
    "csrf": "The page was too old. Reload it and try again.",
    "unverified": "The origin of this request is not proven.",
    "bad_request": "The request cannot be read.",
    "too_large": "This is too large.",
    "too_slow": "The request took too long to arrive.",
    "unsupported_media": "Files of this type are not taken.",
    "method_not_allowed": "This address does not take that method.",
    "busy": "Too much at once. Try again in a moment.",
    "unavailable": "The database does not answer. Try again in a moment.",
    "server_error": "Something went wrong on our side. It was written down.",
}

_REASONS: Final[Mapping[str, str]] = {
    "window": "The platform's reply window is over.",
    "quota": "The platform's number of replies is used up.",
    "recipient": "The customer has left or blocked the account.",
    "content": "The platform does not take this content.",
    "account": "Our account lacks the permission.",
    "credentials": "The platform refuses our key.",
    "unsupported": "This channel has no way to say this here.",
    "unknown": "The platform refused it without a reason that we know.",
    "dropped": "A colleague let it go.",
    "promotion_held": "It is promotional, and the customer has complained meanwhile.",
    "in_doubt": "Nobody knows whether it arrived.",
    "fault": "Something of ours broke while it was sent.",
    "unreachable": "The platform could not be reached.",
}

#: Why an agent was left out; the part after a colon is filled in.
_LEFT_OUT: Final[Mapping[str, str]] = {
    "inactive": "no longer works here",
    "presence": "is not available (%(detail)s)",
    "excluded": "had this offer and gave it back",
    "channel": "does not serve this kind of channel (%(detail)s)",
    "language": "does not speak the language (%(detail)s)",
    "skill": "lacks the skill %(detail)s",
    "full": "has no room left",
    "step": "is not whom the step of the plan asks for (%(detail)s)",
    "holds_out_for_better": "fits so poorly that waiting a little is better",
}

_DECISIONS: Final[Mapping[str, str]] = {
    "offer": "offered to an agent",
    "bot": "given to the bot",
    "overflow": "moved to another queue after waiting too long",
    "by_hand": "assigned by hand",
    "plan": "the next step of the queue's plan began",
    "lapse": "the offer ran out",
    "bot_turn": "answered by the bot",
    "bot_hands_over": "given to a person by the bot",
    "handover": "summed up for whoever takes it",
}

#: Why a bot handed over or failed, as its figures name it.
_BOT_REASONS: Final[Mapping[str, str]] = {
    "bot_unsure": "no article fits well enough",
    "bot_hands_over": "it gave up by itself",
    "bot_refused": "what it said may not be said",
    "bot_repeats": "it would have said the same again",
    "bot_stuck": "it only asked back",
    "most_turns": "it had as many turns as it may",
    "open_case": "there is a complaint",
    "cannot_reply": "the channel takes no answer",
    "recalled": "a recalled product: the statement was said before",
    "reply_held": "the coach holds such a reply back",
    "cost_limit": "the limit of cost was reached",
    "bot_slow": "no answer in time",
    "bot_unreachable": "it could not be reached",
    "bot_denied": "it refuses our key",
    "bot_busy": "it is too busy",
    "bot_error": "its server failed",
    "bot_malformed": "its answer cannot be read",
    "bot_refuses": "the model refused",
    "bot_rests": "it failed three times and rests",
    "bot_interrupted": "we stopped while it thought",
    "cites_nothing": "it cites no article",
    "cites_unknown": "it cites an article that it was not shown",
    "empty": "it said nothing",
    "too_long": "it said too much",
    "number_not_in_article": "it names a number that no article has",
    "address_not_in_article": "it names an address that no article has",
    "promise_not_in_article": "it promises what no article says",
    "claims_what_it_may_not": "it claims what no bot may claim",
    "words_not_in_article": "its words are not those of the articles",
    "turns_an_article_round": "it turns an article round",
    "hidden_or_marked_up": "it holds hidden characters or markup",
    "asks_unknown": "it asks about an article that it was not shown",
    "private_number": "it names a private number",
}

_STATES: Final[Mapping[str, str]] = {
    "Queued": "waiting",
    "Offered": "offered",
    "WithBot": "with the bot",
    "WithAgent": "in hand",
    "WrapUp": "wrap-up",
    "Parked": "put aside",
    "Elsewhere": "on the phone",
    "Closed": "closed",
}

_ALERTS: Final[Mapping[str, str]] = {
    "complaint": "This customer has just complained",
    "complaint_revealed": "This customer has an open complaint from another channel",
    "complaint_probable": "This customer is probably one who has an open complaint",
    "case_overdue": "A complaint was not handled in time",
    "identity_contradiction": "Two proofs of who a customer is contradict each other",
    "answer_due": "A platform's clock on our answer is nearly over",
    "presence_asked": "An agent asks for leave to stop taking work",
    "presence_declined": "A supervisor asks you to go on taking work",
    "agent_lapsed": "An agent does not answer offers and was set away",
    "reply_refused": "A platform refused an answer",
    "reply_dead": "An answer was given up",
    "reply_in_doubt": "It is not known whether an answer arrived",
    "account_refused": "A platform refuses one of our accounts",
    "crisis_raised": "Many customers complain about one thing",
}

_PEOPLE: Final[Mapping[str, Mapping[str, str]]] = {
    "presence": {
        "available": "available",
        "busy": "busy",
        "away": "away",
        "lapsed": "away after unanswered offers",
        "offline": "offline",
    },
    "role": {"agent": "agent", "supervisor": "supervisor", "admin": "administrator"},
    "family": {
        "im": "messenger",
        "social": "social media",
        "webchat": "web chat",
        "voice": "phone",
        "email": "e-mail",
        "sms": "text message",
        "shop": "shop",
    },
}

_CASES: Final[Mapping[str, Mapping[str, str]]] = {
    "case_status": {"open": "open", "acknowledged": "acknowledged", "resolved": "resolved"},
    "severity": {"1": "mild", "2": "clear", "3": "serious"},
    "level": {"agent": "agent", "supervisor": "supervisor", "manager": "manager"},
    "resolution": {
        "refunded": "refunded",
        "replaced": "replaced",
        "repaired": "repaired",
        "compensated": "compensated",
        "explained": "explained",
        "apologised": "apologised",
        "unfounded": "unfounded",
    },
    "topic": {
        "product": "product",
        "order": "order",
        "payment": "payment",
        "logistics": "delivery",
        "after_sales": "after-sales",
        "promotion": "promotion",
        "account": "account",
        "complaint": "complaint",
        "human_request": "wants a person",
        "chitchat": "small talk",
        "other": "other",
    },
}

_CRISES: Final[Mapping[str, Mapping[str, str]]] = {
    "crisis_state": {
        "raised": "raised, no statement yet",
        "drafted": "statement drafted",
        "approved": "statement approved",
        "pinned": "statement pinned",
        "ended": "over",
    },
}

_WORK: Final[Mapping[str, Mapping[str, str]]] = {
    "plan_state": {
        "waiting": "waiting for the job before",
        "playing": "being played",
        "done": "done",
        "failed": "not possible",
    },
    "disposition": {
        "answered": "question answered",
        "order_changed": "order changed",
        "refund_started": "refund started",
        "return_started": "return started",
        "complaint_taken": "complaint taken",
        "follow_up": "to be followed up",
        "no_reply": "customer did not reply",
        "spam": "spam",
        "closed_by_supervisor": "closed by a supervisor",
        "call": "phone call",
        "fact": "no answer needed",
        "confirmed": "confirmed that it is solved",
        "answered_by_bot": "answered by the bot",
        "rated": "a rating, nothing else",
        "not_recorded": "not recorded",
    },
    "sending": {
        "queued": "sending",
        "sent": "sent",
        "delivered": "delivered",
        "read": "read",
        "refused": "refused",
        "dead": "given up",
        "in_doubt": "not known whether it arrived",
    },
    "outbox": {
        "queued": "waiting to be sent",
        "sending": "being sent",
        "sent": "sent",
        "refused": "refused",
        "dead": "given up",
        "in_doubt": "not known whether it arrived",
    },
    "article_state": {
        "draft": "draft",
        "in_review": "in review",
        "published": "published",
        "withdrawn": "withdrawn",
    },
    "script_state": {
        "draft": "draft",
        "in_review": "in review",
        "approved": "approved",
        "withdrawn": "withdrawn",
    },
    "variable": {
        "contact": "customer's name",
        "agent": "your name",
        "shop": "shop",
        "channel": "channel",
        "order": "order number",
        "due": "time by which the complaint is acted on",
    },
    "measure": {
        "reply": "replied",
        "conversion": "ordered",
        "csat": "rated 4 or 5",
        "resolution": "resolved",
    },
    "contradiction": {
        "numbers": "other numbers",
        "translation": "Chinese and English differ",
        "answers": "another answer",
    },
    "quantity": {
        "hours": "hours",
        "working days": "working days",
        "months": "months",
        "money": "yuan",
        "percent": "%",
        "discount": "tenths of the price",
        "times": "times",
    },
    "publication": {
        "holds": "holds now",
        "coming": "will hold",
        "superseded": "replaced by a newer text",
        "withdrawn": "withdrawn",
        "expired": "its time is over",
    },
    "product_state": {
        "coming": "coming",
        "on_sale": "on sale",
        "discontinued": "discontinued",
        "recalled": "recalled",
    },
    "warning": {
        "reader_small": "messages are read by rules alone or by the shipped model; "
        "fewer complaints may be recognised.",
        "reader_down": "the reader process does not start; messages are read by rules alone and "
        "fewer complaints are recognised.",
    },
    "anger": {"0": "calm", "1": "annoyed", "2": "upset", "3": "furious"},
    "trend": {
        "rising": "anger is rising",
        "falling": "anger is falling",
        "stable": "steady",
        "volatile": "up and down",
    },
    "delivery_state": {
        "taken": "taken in",
        "unreadable": "nobody could read it",
        "replayed": "read again",
    },
}

_CLAIMS: Final[Mapping[str, Mapping[str, str]]] = {
    "claim": {
        "phone": "phone",
        "email": "e-mail",
        "member": "member number",
        "union": "platform-wide id",
        "order": "order",
        "name": "name",
    },
    "source": {
        "caller_id": "the caller's number",
        "signed_identity": "signed by the shop",
        "platform": "the platform",
        "customer": "the customer's own words",
        "agent": "a colleague",
    },
    "fact": {
        "call_ended": "the call is over",
        "missed_call": "missed call: nobody answered",
        "followed": "followed the account",
        "left": "no longer follows the account",
        "entered": "opened the chat",
        "blocked": "blocked the account",
    },
}

_GUARANTEES: Final[Mapping[str, Mapping[str, str]]] = {
    "guarantee": {
        "G1": "every handover knows every open complaint",
        "G2": "news of a complaint reaches whoever has the customer",
        "G3": "no open complaint is without a place and a due time",
        "G4": "no bot answers over a complaint",
    },
    "violation": WRONG,
}

#: Why an agent was chosen, and why another was not: the term that told them apart.
_WHY: Final[Mapping[str, str]] = {
    "only": "was the only one who could take it",
    "misfit": "is the better match for what is needed",
    "work": "is likely to take less time",
    "price": "is less likely to be needed by somebody scarcer soon",
    "tie": "knows the customer",
    "rest": "had less in hand, was less busy of late, or can do less else",
    "even": "was as good as any other",
}
_WHY_NOT: Final[Mapping[str, str]] = {
    "misfit": "is a poorer match for what is needed",
    "work": "is likely to take longer",
    "price": "is kept for somebody scarcer who may come soon",
    "tie": "does not know the customer",
    "rest": "had more in hand, was busier of late, or can do more else",
    "even": "was just as good; the order of names decided",
}

#: Topic → code → sentence or word, in English.
#: What the reply coach saw, and what is told at handover.
_COACH: Final[Mapping[str, Mapping[str, str]]] = {
    "coach": {
        "repeats": "our side said this before",
        "only_received": "says only that it was received",
        "argues_first": "argues before it apologises",
        "soothes": "tells the customer how to feel",
        "stock_phrase": "a stock phrase",
        "no_time": "promises to come back, but not when",
        "discontinued": "offers what is no longer sold",
        "contradicts": "says otherwise than the article",
        "private_number": "shows a number or address in full",
    },
    "about": {
        "complaint": "complaint",
        "elsewhere": "said on another channel",
        "wants": "asks now",
        "bot": "the bot answered",
        "promised": "our side promised",
        "answered": "our side answered",
    },
}

PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    "error": _ERRORS,
    "reason": _REASONS,
    "left_out": _LEFT_OUT,
    "why": _WHY,
    "why_not": _WHY_NOT,
    "decision": _DECISIONS,
    "bot_reason": _BOT_REASONS,
    "event": KINDS,
    "state": _STATES,
    "alert": _ALERTS,
    **_PEOPLE,
    **_CASES,
    **_CRISES,
    **_WORK,
    **_CLAIMS,
    **_GUARANTEES,
    **_COACH,
}


def phrase(topic: str, code: object) -> str:
    """Return the English source text of a code; the code itself where it is unknown."""
    return PHRASES[topic].get(str(code), str(code))
