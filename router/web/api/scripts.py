"""Scripts, and what helps to write an answer in a conversation."""

from datetime import datetime

import msgspec

from router.domain.ids import ConversationId, ScriptId
from router.domain.script import Script, ScriptState
from router.domain.workforce import Role
from router.service import scripts
from router.service.scripts import Ready
from router.web.aid import aid
from router.web.api.articles import PublicationShape, StateBody
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape
from router.web.me import language_of

operations = Operations("scripts")


class ScriptBody(msgspec.Struct, forbid_unknown_fields=True):
    """A script: ``wordings`` by channel, family of channels or ``any``, then by language."""

    title: str
    wordings: dict[str, dict[str, str]]
    shortcut: str = ""
    category: str = ""
    meaning: str = ""
    promotional: bool = False
    state: str = "draft"
    version: int | None = None


class ScriptShape(Shape, frozen=True):
    """A script; ``approved`` are the wordings that are sent."""

    id: str
    state: ScriptState
    title: str
    shortcut: str
    category: str
    meaning: str
    wordings: dict[str, dict[str, str]]
    approved: dict[str, dict[str, str]]
    promotional: bool
    updated_at: datetime
    updated_by: str
    submitted_by: str
    approved_by: str
    approved_at: datetime | None
    version: int


class ReadyShape(Shape, frozen=True):
    """A script as it would be said in a conversation; with something ``missing`` it is not sent.

    A reply made from it names ``script``, and ``trial`` and ``variant`` where they are set.
    """

    script: str
    title: str
    shortcut: str
    place: str
    text: str
    missing: tuple[str, ...]
    trial: str | None
    variant: str

    @classmethod
    def ready(cls, value: Ready) -> "ReadyShape":
        """Return a script that is filled in."""
        return cls(
            script=value.script.id,
            title=value.script.title,
            shortcut=value.script.shortcut,
            place=value.place,
            text=value.text,
            missing=value.missing,
            trial=value.trial,
            variant=value.variant,
        )


class AidShape(Shape, frozen=True):
    """What may be said in a conversation."""

    articles: tuple[PublicationShape, ...]
    scripts: tuple[ReadyShape, ...]


class AidQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What is looked for; without words, what fits the contact's last ones."""

    words: str = ""


@operations.add("GET", "/scripts", answer=tuple[ScriptShape, ...])
async def list_scripts(asked: Asked) -> tuple[ScriptShape, ...]:
    """List the scripts."""
    return tuple(map(ScriptShape.of, await asked.deps.store.read(scripts.scripts)))


@operations.add("GET", "/scripts/{script}", answer=ScriptShape)
async def get_script(asked: Asked) -> ScriptShape:
    """Show a script."""
    return ScriptShape.of(await asked.deps.store.read(scripts.script, asked.part("script")))


@operations.add(
    "POST", "/scripts", answer=ScriptShape, body=ScriptBody, role=Role.SUPERVISOR, status=201
)
async def create_script(asked: Asked) -> ScriptShape:
    """Write a script."""
    return await _saved(asked, asked.deps.ids.new(), 0)


@operations.add(
    "PUT", "/scripts/{script}", answer=ScriptShape, body=ScriptBody, role=Role.SUPERVISOR
)
async def change_script(asked: Asked) -> ScriptShape:
    """Change a script; what was approved stays in use until the change is approved too."""
    stored = await asked.deps.store.read(scripts.script, asked.part("script"))
    version = stored.version if asked.body.version is None else asked.body.version
    return await _saved(asked, stored.id, version)


async def _saved(asked: Asked, name: str, version: int) -> ScriptShape:
    body: ScriptBody = asked.body
    script = Script(
        id=ScriptId(name),
        state=scripts.state_of(body.state),
        title=body.title,
        shortcut=body.shortcut,
        category=body.category,
        meaning=body.meaning,
        wordings=body.wordings,
        promotional=body.promotional,
        updated_at=asked.at,
        updated_by=asked.agent.id,
        version=version,
    )
    saved = await asked.deps.store.transact(
        scripts.put,
        script=script,
        by=asked.agent.id,
        four_eyes=asked.deps.policy.knowledge.four_eyes,
        at=asked.at,
    )
    return ScriptShape.of(saved)


@operations.add(
    "PUT", "/scripts/{script}/state", answer=ScriptShape, body=StateBody, role=Role.SUPERVISOR
)
async def set_script_state(asked: Asked) -> ScriptShape:
    """Send a script into review or back, approve it or take it back."""
    saved = await asked.deps.store.transact(
        scripts.set_state,
        script=asked.part("script"),
        state=asked.body.state,
        by=asked.agent.id,
        four_eyes=asked.deps.policy.knowledge.four_eyes,
        at=asked.at,
    )
    return ScriptShape.of(saved)


@operations.add("GET", "/conversations/{conversation}/aid", answer=AidShape, query=AidQuery)
async def get_aid(asked: Asked) -> AidShape:
    """Show the articles and scripts that may be said in a conversation, filled in."""
    found = await aid(
        asked.deps,
        conversation=ConversationId(asked.part("conversation")),
        words=asked.query.words[:200],
        me=asked.agent.id,
        language=language_of(asked.request),
    )
    return AidShape(
        articles=tuple(
            PublicationShape.seen(each, asked.deps, asked.at) for each in found.articles
        ),
        scripts=tuple(map(ReadyShape.ready, found.scripts)),
    )
