"""The adapter protocol and its values: six pure methods, bytes and values only.

Inbound: verify, handshake, decode. Outbound: encode, sign, interpret. An adapter never reads the
clock, never sleeps, never opens a socket; whatever it needs of the world comes in a `Moment`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from router.domain.content import Content, Media
from router.domain.identity import Claim

#: How the ``ref`` of a file begins that came inside its delivery.
ENCLOSED = "enclosed:"


class Unverified(Exception):
    """The origin of a request is not proven. Becomes a 401 and a count, never a stack trace."""


class Malformed(Exception):
    """A proven request could not be read. It is answered, kept and shown to the operator.

    ``answer`` is what the sender is told, where the sender can mend it (an upload, a socket frame);
    None on a webhook, whose platform is answered as always.
    """

    def __init__(self, message: str = "", *, answer: "Response | None" = None) -> None:
        super().__init__(message)
        self.answer = answer


# ----- requests in -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """All that a pure function may borrow from the world: the time and 16 random bytes."""

    now: datetime
    entropy: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One delivery: an HTTP request, a socket frame (method ``FRAME``) or an uploaded file.

    ``url`` is the public address as configured, with the raw query string; ``headers`` have
    lower-case names; ``body`` is what came, byte for byte. ``query`` is decoded from ``url``.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    moment: Moment
    query: tuple[tuple[str, str], ...] = ()

    def one(self, name: str) -> str:
        """Return the only value of query parameter ``name``; Unverified if absent or doubled."""
        values = [value for key, value in self.query if key == name]
        if len(values) != 1:
            raise Unverified(f"query parameter {name} must appear exactly once")
        return values[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A request whose origin is proven; made only in ``verify``.

    ``body`` is the plain body: decrypted where the platform encrypts. ``proof`` is whatever the
    adapter wants to carry from verify to decode (for a socket: who is at the other end).
    """

    request: Request
    body: bytes
    proof: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the platform is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


# ----- what decode finds -------------------------------------------------------------------------


class Audience(StrEnum):
    """Who can read it."""

    PRIVATE = "private"
    PUBLIC = "public"


class Speaker(StrEnum):
    """Who said it."""

    CONTACT = "contact"
    AGENT = "agent"  # our side, elsewhere: an echo, or the agent's leg of a call
    BOT = "bot"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Words, media, a place or a press of a button.

    ``external_id`` is the deduplication key on this account: the same id twice is one interaction.
    ``sender`` is always the customer's id on this account, also when our side spoke (``by`` says
    so); ``sender_name`` is the speaker's. ``thread`` separates conversations of one sender where
    the platform does (a call, a post).
    ``opens_window`` names the kind of reply window that this event opens; see `Window`.
    ``standby`` says that another application of ours holds the thread on the platform: what was
    said is kept and read, and it opens no conversation for anybody to answer.
    """

    external_id: str
    sender: str
    at: datetime
    content: Content
    by: Speaker = Speaker.CONTACT
    sender_name: str = ""
    audience: Audience = Audience.PRIVATE
    thread: str = ""
    reply_handle: str = ""
    reply_to: str = ""
    opens_window: str = ""
    claims: tuple[Claim, ...] = ()
    language: str = ""
    standby: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """An earlier message was changed by its author; may come before it."""

    external_id: str
    target: str
    sender: str
    at: datetime
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """An earlier message was taken back by its author; may come before it."""

    external_id: str
    target: str
    sender: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One speaker's segment of a call. A later turn with the same ``external_id`` replaces it.

    ``call`` is the thread of the call; ``ends_call`` marks its last event. ``offset`` is the time
    since the call's start.
    """

    external_id: str
    call: str
    sender: str
    at: datetime
    offset: timedelta
    by: Speaker
    text: str
    final: bool = True
    speaker_name: str = ""
    claims: tuple[Claim, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """A call is over; ``missed`` if nobody answered it."""

    external_id: str
    call: str
    sender: str
    at: datetime
    missed: bool = False
    claims: tuple[Claim, ...] = ()


class ReceiptState(StrEnum):
    """How far a message of ours has come; only moves up, except that it may be refused."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a message of ours. ``target`` is the platform's id of that message.

    An empty ``target`` with ``READ`` or ``DELIVERED`` means: everything up to ``at`` has come that
    far.
    """

    external_id: str
    target: str
    sender: str
    at: datetime
    state: ReceiptState
    why: str = ""


class Following(StrEnum):
    """A change of the relation between a person and an account."""

    FOLLOWED = "followed"
    LEFT = "left"
    ENTERED = "entered"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Somebody followed, left, entered the chat or blocked us."""

    external_id: str
    sender: str
    at: datetime
    what: Following
    source: str = ""
    opens_window: str = ""
    claims: tuple[Claim, ...] = ()
    sender_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Online, offline or typing; never stored on the timeline."""

    sender: str
    at: datetime
    what: Literal["online", "offline", "typing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopEvent:
    """An order, a refund, a parcel, a review: something the shop's systems say about a person.

    ``words`` are what the buyer wrote with it (why the money is wanted back, a note, a review):
    they are read for complaints as a message is, once for each order.
    """

    external_id: str
    sender: str
    at: datetime
    kind: str
    order: str
    summary: str
    claims: tuple[Claim, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """The contact gave a score to a conversation; 1 is worst, 5 is best."""

    external_id: str
    sender: str
    at: datetime
    score: int
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """Something was learnt about who a person is, apart from any message."""

    external_id: str
    sender: str
    at: datetime
    claims: tuple[Claim, ...]
    sender_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """Something is new: pull it. ``cursor_key`` names the stored cursor.

    ``cursor`` is told to ``read_pull`` and says after what the page came; nobody sets it in decode.
    """

    cursor_key: str
    hint: str = ""
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Known and unused, or unknown: counted, never dropped in silence."""

    kind: str


Event: TypeAlias = (
    Received
    | Edited
    | Recalled
    | Turn
    | CallEnded
    | Receipt
    | Followed
    | Presence
    | ShopEvent
    | Rated
    | Identified
    | Bell
    | Ignored
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """A file that came inside a delivery; the `Media` that speaks of it has the same ``ref``."""

    ref: str
    data: bytes = field(repr=False)
    name: str = ""


def enclosed(data: bytes, name: str = "") -> Enclosed:
    """Return a file that came inside a delivery, named by what it holds."""
    return Enclosed(ref=f"{ENCLOSED}{sha256(data).hexdigest()}", data=data, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a delivery says, in order, and what the platform is to be answered after the commit.

    ``calls`` are calls the adapter wants made once the events are committed (a pull, a look-up).
    ``files`` came with it and are kept before the commit; none needs to be fetched.
    """

    events: tuple[Event, ...] = ()
    response: Response = field(default_factory=Response)
    calls: tuple["Call", ...] = ()
    files: tuple[Enclosed, ...] = ()


# ----- calls out ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One HTTP request to a platform, without credentials until it is signed.

    ``note`` carries what ``interpret`` needs to know about the call (a kind, a part number).
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """One MQTT publish, QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One text frame to the sockets of one person on one account."""

    recipient: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCall:
    """One mail to a mail server by SMTP, without user and password until it is signed.

    ``body`` is the whole mail, headers first; ``sender`` and ``recipients`` are the envelope. The
    `Reply` holds the server's last code as its status and its words as the body. ``note`` is for
    ``interpret``, as an `HttpCall`'s is.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    recipients: tuple[str, ...]
    body: bytes
    note: str = ""
    username: str = ""
    password: str = ""


Call: TypeAlias = HttpCall | Publish | Push | MailCall
C = TypeVar("C", HttpCall, Publish, Push, MailCall)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a platform answered to a call."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A platform's access token and the instant from which it must not be used."""

    value: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """Something we say to one person on one account.

    ``id`` is ours, for platforms that take an idempotency key. ``speaker_name`` is how the agent
    is shown, ``by`` says whether a person or a bot speaks. ``reply_handle`` and ``reply_to`` come
    from the `Received` that is answered. ``seq`` orders what one conversation says (1, 2, …).
    """

    id: str
    recipient: str
    content: Content
    at: datetime
    by: Speaker = Speaker.AGENT
    speaker_name: str = ""
    thread: str = ""
    audience: Audience = Audience.PRIVATE
    reply_handle: str = ""
    reply_to: str = ""
    conversation: str = ""
    seq: int = 0


class Reason(StrEnum):
    """Why a message was refused; one vocabulary for answers and receipts."""

    WINDOW = "window"  # the platform's reply window is over
    QUOTA = "quota"  # the window's number of sends is used up; wait for the contact
    RECIPIENT = "recipient"  # gone, blocked, never existed
    CONTENT = "content"  # too long, wrong type, forbidden words
    ACCOUNT = "account"  # our account is banned, unpaid, or lacks the permission
    CREDENTIALS = "credentials"  # our key or token is refused
    UNSUPPORTED = "unsupported"  # the channel has no way to say this here
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The platform took it; ``external_id`` is its id of the message, if it tells."""

    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not now; try again after ``retry_after`` if the platform gave one.

    ``unsure`` says that it may have been done all the same (an answer that is not the platform's).
    What we said is then said again only where the platform takes our id as a key.
    """

    why: str
    retry_after: timedelta | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Never, in this form."""

    reason: Reason
    why: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExpired:
    """Refresh the token and try once more."""

    why: str = ""


Outcome: TypeAlias = Accepted | Deferred | Refused | TokenExpired


# ----- what a channel can do ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A reply window: how many sends an event of this kind allows, and for how long.

    ``sends`` of ``None`` means without a count. Each new event of the kind opens a new quota.
    With ``audience`` it holds for answers to what was said in public, and only for those that are
    read so; an event of one kind may open a window for each.
    """

    kind: str
    lasts: timedelta
    sends: int | None = None
    audience: Audience | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the platform can carry. Limits are in the unit that the platform counts.

    ``max_text`` counts ``text_unit`` (characters, or UTF-8 bytes). ``sends_per_second`` is the
    rate an account may send at; ``None`` if the platform gives none. An empty ``windows`` means
    that we may always write; ``replies`` False means that the channel cannot be answered at all.
    ``public_answers`` says who may read an answer to what was said in public, the usual first;
    empty if that cannot be answered.
    ``idempotent_sends`` True means that the same call sent twice says it once (the platform takes
    our message id as a key), so that a call of which we heard no answer may be sent again.
    """

    replies: bool
    max_text: int = 2000
    text_unit: Literal["characters", "bytes"] = "characters"
    media_out: frozenset[str] = frozenset()
    media_in: frozenset[str] = frozenset()
    windows: tuple[Window, ...] = ()
    sends_per_second: float | None = None
    recalls_in: bool = False
    receipts: bool = False
    public: bool = False
    public_answers: tuple[Audience, ...] = (Audience.PUBLIC,)
    voice: bool = False
    idempotent_sends: bool = False


class Adapter(Protocol[C]):
    """One account of one channel, as six pure methods."""

    def verify(self, request: Request) -> Trusted:
        """Prove the origin and open encryption, or raise `Unverified`."""

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the platform's URL check; None for everything else."""

    def decode(self, request: Trusted) -> Decoded:
        """Return events, the platform's answer and wanted calls; or raise `Malformed`."""

    def encode(self, message: Outbound) -> tuple[C, ...] | Refused:
        """Return the calls that say ``message``, split to the platform's limits, unsigned.

        `Refused` says why the channel cannot say it at all, in the words of `Reason`.
        """

    def sign(self, call: C, *, token: Token | None, moment: Moment) -> C:
        """Return ``call`` with credentials on it. Signed calls are never stored or logged."""

    def interpret(self, call: C, reply: Reply) -> Outcome:
        """Say what the platform's answer means for us."""


@runtime_checkable
class GrantsToken(Protocol):
    """A platform with expiring access tokens."""

    def token_call(self) -> HttpCall:
        """Return the call that fetches a token; it holds credentials and is never stored."""

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        """Read the token from the platform's answer; `Deferred` while the platform is busy."""


@runtime_checkable
class UploadsMedia(Protocol):
    """A platform that takes a media id rather than a link."""

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the (unsigned) call that uploads ``data``."""

    def read_upload(self, reply: Reply) -> str | Outcome:
        """Return the platform's media id, or what went wrong."""


@runtime_checkable
class FetchesMedia(Protocol):
    """Media behind the platform's own API."""

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the (unsigned) call that downloads ``media``; None if there is nothing."""

    def read_fetch(self, reply: Reply) -> "Outcome | Elsewhere":
        """Say whether the answer is the file (`Accepted`), where it is, or what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The platform answered with the address of the file.

    It is fetched without credentials, or, if ``signed``, by a GET that the adapter has signed.
    """

    link: str
    signed: bool = False


@runtime_checkable
class Pulls(Protocol):
    """Callbacks that say only "something is new"."""

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        """Return the (unsigned) call for the page after ``cursor``."""

    def read_pull(self, bell: Bell, reply: Reply) -> "Pulled | Outcome":
        """Read one page, or say what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """One page of what was pulled; the cursor is saved in the same transaction as the events.

    ``files`` came with the page and are kept before that.
    """

    events: tuple[Event, ...]
    cursor: str
    more: bool
    files: tuple[Enclosed, ...] = ()


@runtime_checkable
class LooksUpProfile(Protocol):
    """A name, a picture and claims for a contact, asked of the platform."""

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the (unsigned) call; None if this identity has no profile to look up."""

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Read what the platform says about the person."""


class Family(StrEnum):
    """What kind of channel it is, for skills, clocks and grouping."""

    IM = "im"
    SOCIAL = "social"
    WEBCHAT = "webchat"
    VOICE = "voice"
    EMAIL = "email"
    SMS = "sms"
    SHOP = "shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What an adapter's folder exports as ``CHANNEL``.

    ``settings`` is a msgspec struct with ``forbid_unknown_fields``; ``build`` makes an adapter
    from an instance of it. ``transport`` says how deliveries arrive: a ``webhook``, a ``socket``
    (our own WebSocket) or an ``upload``.
    """

    name: str
    title: Mapping[str, str]  # language → title: {"en": …, "zh": …}
    family: Family
    transport: Literal["webhook", "socket", "upload", "mqtt", "pull"]
    capabilities: Capabilities
    settings: type[Any]
    build: Callable[[Any], Any]
    secrets: frozenset[str] = frozenset()  # names of settings that are never shown
    aliases: frozenset[str] = frozenset()  # other names under which `mainstem decode` knows it
    able: Callable[[Any], Capabilities] | None = None  # what one account can, by its settings
    needs_secret_path: bool = False  # the platform signs too little; the path is part of the proof
