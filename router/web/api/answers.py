"""Answering: replies, posted files, notes, typing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from router.channel.contract import Audience, Capabilities
from router.domain.coach import CoachPolicy, Hint, Level, Rule
from router.domain.content import Content, Menu, Option, Text
from router.domain.errors import Invalid
from router.domain.ids import ConversationId, MediaId, PublicationId, ScriptId, TrialId
from router.domain.workforce import Role
from router.service.coaching import Coached, coached_reply
from router.service.ports import NotFound
from router.service.reply import note
from router.service.scripts import Used
from router.service.unit import Unit
from router.web import uploads
from router.web.advice import advice, sure_articles
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import (
    InteractionShape,
    Shape,
)
from router.web.errors import Denied
from router.web.live import look_up
from router.web.sockets import SOCKETS

operations = Operations("answers")

KEY_HEADER: Final = "Idempotency-Key"
_LONGEST_KEY: Final = 128


class ChoiceBody(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of a menu to press."""

    id: str
    label: str


class ReplyBody(msgspec.Struct, forbid_unknown_fields=True):
    """What to say: words; a posted file (``media``), its caption in ``text``; or a menu.

    What is ``promotional`` is refused while the person has an open complaint. ``audience`` says who
    may read the answer to what was said in public; without it the answer stays in kind. ``sources``
    are the publications that it came from; ``script``, with ``trial`` and ``variant``, the script.
    ``hinted`` are the rules of the coach's hints that were seen while writing, so that those that
    were taken are counted.
    """

    text: str = ""
    media: str = ""
    options: tuple[ChoiceBody, ...] = ()
    promotional: bool = False
    audience: Audience | None = None
    sources: tuple[str, ...] = ()
    script: str = ""
    trial: str = ""
    variant: str = ""
    hinted: tuple[Rule, ...] = ()


class HintShape(Shape, frozen=True):
    """What the reply coach would say better: the rule, what gave it away, a wording to take.

    With ``blocks`` the shop lets no such reply go.
    """

    rule: Rule
    quote: str
    better: str
    blocks: bool

    @classmethod
    def of_all(cls, hints: Sequence[Hint], policy: CoachPolicy) -> "tuple[HintShape, ...]":
        """Return hints as the API shows them."""
        return tuple(
            cls(
                rule=each.rule,
                quote=each.quote,
                better=each.better,
                blocks=policy.level(each.rule) is Level.BLOCK,
            )
            for each in hints
        )


class SaidShape(Shape, frozen=True):
    """A reply as it stands on the timeline and in the outbox."""

    interaction: InteractionShape
    outbox: str
    hints: tuple[HintShape, ...] = ()


class FileQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What a file is called, and the account that it is for."""

    name: str = ""
    account: str = ""


class FileShape(Shape, frozen=True):
    """A file that was taken; ``media`` is what a reply names it by."""

    media: str
    mime: str
    size: int
    name: str


class TextBody(msgspec.Struct, forbid_unknown_fields=True):
    """Words."""

    text: str


class SpanQuery(msgspec.Struct, forbid_unknown_fields=True):
    """How many days are looked back."""

    days: Annotated[int, Meta(ge=1, le=366)] = 30


class HintCount(Shape, frozen=True):
    """How often a hint was taken, or the reply was sent all the same."""

    rule: str
    outcome: str
    count: int


def _id(asked: Asked) -> ConversationId:
    return ConversationId(asked.part("conversation"))


@operations.add(
    "POST",
    "/conversations/{conversation}/replies",
    answer=SaidShape,
    body=ReplyBody,
    keyed=True,
    status=201,
)
async def send_reply(asked: Asked) -> SaidShape:
    """Answer in a conversation that one has in hand.

    The same ``Idempotency-Key`` in the same conversation is the same answer, however often it is
    sent.
    """
    key = asked.request.headers.get(KEY_HEADER, "")
    if len(key) > _LONGEST_KEY or not key.isascii() or (key and not key.isprintable()):
        raise Denied("invalid", 400, detail="1 to 128 printable characters", field=KEY_HEADER)
    conversation = _id(asked)
    deps = asked.deps
    done: Coached = await deps.store.transact(
        _replied,
        conversation=conversation,
        by=asked.agent.id,
        content=await _content(asked),
        capabilities=deps.capabilities,
        at=asked.at,
        key=f"{conversation}:{key}" if key else "",
        promotional=asked.body.promotional,
        audience=asked.body.audience,
        sources=tuple(map(PublicationId, asked.body.sources)),
        script=_used(asked.body),
        policy=deps.policy.coach,
        articles=await sure_articles(deps, conversation),
        products=tuple(deps.knows.products().values()),
        shown=asked.body.hinted,
    )
    return SaidShape(
        interaction=InteractionShape.of(done.said.interaction),
        outbox=done.said.outbox,
        hints=HintShape.of_all(done.hints, deps.policy.coach),
    )


def _replied(
    unit: Unit, /, *, conversation: ConversationId, capabilities: Any, **given: Any
) -> Coached:
    account = unit.conversations.get(conversation).account
    able = capabilities.get(account) or Capabilities(replies=False)
    return coached_reply(unit, conversation=conversation, capabilities=able, **given)


def _used(body: ReplyBody) -> Used | None:
    if not body.script:
        if body.trial or body.variant:
            raise Invalid("script: name the script that the variant is of")
        return None
    if bool(body.trial) != bool(body.variant):
        raise Invalid("variant: a trial and its variant go together")
    trial = TrialId(body.trial) if body.trial else None
    return Used(script=ScriptId(body.script), trial=trial, variant=body.variant)


async def _content(asked: Asked) -> Content:
    body: ReplyBody = asked.body
    if body.media and body.options:
        raise Invalid("options: a file cannot have a menu; send two replies")
    if body.options:
        options = tuple(Option(id=each.id, label=each.label) for each in body.options)
        return Menu(text=body.text, options=options)
    if not body.media:
        return Text(text=body.text)
    try:
        row = await asked.deps.store.read(uploads.media_row, MediaId(body.media))
    except NotFound as error:
        raise Invalid("media: post the file first, then name it here") from error
    link = uploads.look_address(asked.deps, row.id)
    return uploads.as_content(row, caption=body.text, link=link)


@operations.add(
    "POST",
    "/conversations/{conversation}/coach",
    answer=tuple[HintShape, ...],
    body=TextBody,
)
async def coach_reply(asked: Asked) -> tuple[HintShape, ...]:
    """Say what would be better about a reply before it goes; nothing is sent or kept."""
    hints = await advice(asked.deps, _id(asked), asked.body.text)
    return HintShape.of_all(hints, asked.deps.policy.coach)


@operations.add(
    "GET",
    "/coach/counts",
    answer=tuple[HintCount, ...],
    query=SpanQuery,
    role=Role.SUPERVISOR,
)
async def count_hints(asked: Asked) -> tuple[HintCount, ...]:
    """Count the coach's hints of the last days: those taken, and those sent all the same."""
    since = asked.at - timedelta(days=asked.query.days)
    counts = await asked.deps.store.read(_counted, since, asked.at)
    return tuple(
        HintCount(rule=rule, outcome=outcome, count=count)
        for (rule, outcome), count in sorted(counts.items())
    )


def _counted(unit: Unit, since: datetime, until: datetime) -> Mapping[tuple[str, str], int]:
    return unit.coached.counts(since, until)


@operations.add("POST", "/media", answer=FileShape, query=FileQuery, upload=True, status=201)
async def post_file(asked: Asked) -> FileShape:
    """Post a file for a later reply; the body is the file itself."""
    row = await uploads.keep_file(
        asked.deps,
        asked.request.content.iter_chunked(256 * 1024),
        media=MediaId(asked.deps.ids.new()),
        account=asked.query.account,
        name=asked.query.name,
        declared=asked.request.content_length,
    )
    return FileShape(media=row.id, mime=row.mime, size=row.size, name=row.name)


@operations.add(
    "POST",
    "/conversations/{conversation}/notes",
    answer=InteractionShape,
    body=TextBody,
    status=201,
)
async def add_note(asked: Asked) -> InteractionShape:
    """Add a note that only colleagues see."""
    said = await asked.deps.store.transact(
        note,
        conversation=_id(asked),
        by=asked.agent.id,
        text=asked.body.text,
        at=asked.at,
    )
    return InteractionShape.of(said)


@operations.add("POST", "/conversations/{conversation}/typing")
async def tell_typing(asked: Asked) -> None:
    """Tell a web-chat visitor that one is writing; other channels are not told."""
    conversation = _id(asked)
    found = await asked.deps.store.read(look_up, (conversation,), ())
    place = found.places.get(conversation)
    if place is not None and place.agent == asked.agent.id:
        asked.request.app[SOCKETS].typing(place.account, place.external_id, name=asked.agent.name)
