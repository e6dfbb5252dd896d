"""Scripts: written, approved, offered to who answers, filled in; and noted when they are used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from router.channel.contract import Family
from router.domain import script as domain
from router.domain.conversation import Conversation
from router.domain.errors import Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId, ConversationId, ScriptId, TrialId
from router.domain.policy import ShopPolicy
from router.domain.reading import EntityKind
from router.domain.script import Script, ScriptState
from router.domain.timeline import Direction, Interaction
from router.domain.trial import ScriptUse, Trial
from router.service.unit import Unit

STATES = tuple(ScriptState)
#: How many of a conversation's last interactions are looked at for an order's number.
_LOOK_BACK: Final = 50
_DUE: Final[Mapping[str, str]] = {"zh": "{0.month}月{0.day}日{0:%H:%M}", "en": "{0:%d %b %H:%M}"}


def state_of(name: str) -> ScriptState:
    """Return the state that a caller names; raises Invalid."""
    try:
        return ScriptState(name)
    except ValueError as error:
        raise Invalid(f"state: {name!r} is not one of {', '.join(STATES)}") from error


def scripts(unit: Unit) -> tuple[Script, ...]:
    """Return every script."""
    return unit.scripts.all()


def script(unit: Unit, wanted: str) -> Script:
    """Return a script; raises NotFound."""
    return unit.scripts.get(ScriptId(wanted))


def write(unit: Unit, *, script: Script, by: str, at: datetime) -> Script:
    """Insert or change the wordings that are worked on; what was approved stays in use.

    Raises Invalid with the field to mend, Conflict for a stale one.
    """
    stored = unit.scripts.get(script.id) if script.version else None
    text = domain.checked(
        replace(
            script,
            state=ScriptState.DRAFT,
            submitted_by="",
            approved={} if stored is None else stored.approved,
            approved_by="" if stored is None else stored.approved_by,
            approved_at=None if stored is None else stored.approved_at,
            updated_by=by,
            updated_at=at,
        )
    )
    _unique(unit, text)
    return _save(unit, text, by=by, at=at)


def _unique(unit: Unit, text: Script) -> None:
    for each in unit.scripts.all():
        if text.shortcut and each.shortcut == text.shortcut and each.id != text.id:
            raise Invalid(f"shortcut: {text.shortcut!r} is taken by {each.title!r}")


def put(unit: Unit, *, script: Script, by: str, four_eyes: bool, at: datetime) -> Script:
    """Write a script and bring it into the state that it names; the same text is no change.

    What should be withdrawn and was never approved stays a draft: it is as little in use.
    """
    wanted = script.state
    stored = unit.scripts.get(script.id) if script.version else None
    if stored is not None and stored.version == script.version and _says_the_same(stored, script):
        written = stored
    else:
        written = write(unit, script=script, by=by, at=at)
    if wanted is ScriptState.WITHDRAWN and not written.approved:
        return written
    if wanted is ScriptState.APPROVED and four_eyes and written.state is not wanted:
        wanted = ScriptState.IN_REVIEW
    return set_state(unit, script=written.id, state=wanted, by=by, four_eyes=four_eyes, at=at)


def _says_the_same(one: Script, other: Script) -> bool:
    names = ("title", "shortcut", "category", "meaning", "promotional")
    tidy = domain.checked(other)
    same = all(getattr(one, name) == getattr(tidy, name) for name in names)
    return same and one.wordings == tidy.wordings


def set_state(
    unit: Unit, *, script: str, state: str, by: str, four_eyes: bool, at: datetime
) -> Script:
    """Send a script into review or back, approve it or take it back; the same state is no step."""
    held, wanted = unit.scripts.get(ScriptId(script)), state_of(state)
    if wanted is held.state:
        return held
    match wanted:
        case ScriptState.DRAFT:
            moved = replace(held, state=ScriptState.DRAFT, submitted_by="")
        case ScriptState.IN_REVIEW:
            moved = domain.submitted(held, by=by)
        case ScriptState.APPROVED:
            moved = domain.approved(held, by=by, four_eyes=four_eyes, at=at)
        case ScriptState.WITHDRAWN:
            moved = domain.withdrawn(held)
    return _save(unit, moved, by=by, at=at)


def _save(unit: Unit, held: Script, *, by: str, at: datetime) -> Script:
    saved = unit.scripts.save(held)
    facts = {"script": saved.id, "state": saved.state.value, "by": by}
    unit.record(Happened(kind="script_changed", facts=facts), at=at)
    return saved


# ----- in the desk --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A script as it would be said here and now; ``missing`` names what is not known.

    While something is missing ``text`` is the template, and it cannot be sent.
    """

    script: Script
    place: str
    text: str
    missing: tuple[str, ...]
    trial: TrialId | None = None
    variant: str = ""


def values_for(
    unit: Unit,
    held: Conversation,
    *,
    agent: AgentId,
    channel: str,
    policy: ShopPolicy,
    zone: ZoneInfo,
) -> dict[str, str]:
    """Return what is known of the variables in a conversation; ``channel`` is its title."""
    language = "en" if held.language == "en" else "zh"
    members = unit.contacts.members(held.contact)
    name = unit.contacts.get(members[0]).name or next(
        (each.name for each in unit.contacts.identities(members) if each.name), ""
    )
    cases = unit.cases.open_of(members)
    due = min((each.due_at for each in cases if each.due_at is not None), default=None)
    said = unit.conversations.said_in(held.id, limit=_LOOK_BACK)
    order = next((each.order for each in cases if each.order), "") or _order_in(said)
    return {
        "contact": name,
        "agent": unit.workforce.get(agent).name,
        "shop": policy.shop.get(language, ""),
        "channel": channel,
        "order": order,
        "due": _DUE[language].format(due.astimezone(zone)) if due else "",
    }


def _order_in(said: Sequence[Interaction]) -> str:
    for each in reversed(said):
        if each.direction is Direction.IN and each.reading is not None:
            for entity in each.reading.entities:
                if entity.kind is EntityKind.ORDER:
                    return entity.value
    return ""


def offered(
    unit: Unit,
    held: Conversation,
    *,
    words: str,
    family: Family | None,
    values: Mapping[str, str],
    limit: int = 8,
) -> tuple[Ready, ...]:
    """Return the approved scripts for a conversation that match ``words``, shortcuts first.

    Where a wording is under trial, the contact gets their own variant of it.
    """
    wanted = words.strip().casefold()
    trials = {(each.script, each.place): each for each in unit.scripts.running()}
    root = unit.contacts.members(held.contact)[0]
    found: list[tuple[int, Ready]] = []
    for each in unit.scripts.all():
        rank = _rank(each, wanted)
        place, template = each.wording(
            channel=held.channel, family=str(family or ""), language=held.language
        )
        if rank is None or not template:
            continue
        trial: Trial | None = trials.get((each.id, place))
        variant = trial.variant_for(root) if trial else None
        spoken = "en" if held.language == "en" else "zh"
        own = variant.wording.get(spoken, "") if variant else ""
        template = own or template
        missing = domain.missing_in(template, values)
        ready = Ready(
            script=each,
            place=place,
            text=template if missing else domain.filled(template, values),
            missing=missing,
            trial=trial.id if trial and own else None,
            variant=variant.name if variant and own else "",
        )
        found.append((rank, ready))
    found.sort(key=lambda pair: pair[0])
    return tuple(ready for _rank_, ready in found[:limit])


def _rank(script: Script, wanted: str) -> int | None:
    """Return how well a script matches, 0 best; None if it does not."""
    if not wanted or script.shortcut == wanted:
        return 0
    if script.shortcut.startswith(wanted):
        return 1
    if wanted in script.title.casefold():
        return 2
    approved = (text for said in script.approved.values() for text in said.values())
    text = "\n".join((script.category, script.meaning, *approved)).casefold()
    return 3 if wanted in text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What an answer was made from, as the desk or a program says it."""

    script: ScriptId
    trial: TrialId | None = None
    variant: str = ""


def check_use(unit: Unit, used: Used) -> Script:
    """Return the script of a use; raises Invalid or NotFound for what cannot have been used."""
    held = unit.scripts.get(used.script)
    if not held.approved:
        raise Invalid("script: is not approved")
    if used.trial is not None:
        trial = unit.scripts.trial(used.trial)
        if trial.script != used.script:
            raise Invalid("trial: is of another script")
        trial.variant(used.variant)
    return held


def note_use(
    unit: Unit, used: Used, said: Interaction, *, conversation: ConversationId, at: datetime
) -> None:
    """Note that an answer was made from a script; the same answer is noted once."""
    unit.scripts.use(
        ScriptUse(
            interaction=said.id,
            script=used.script,
            trial=used.trial,
            variant=used.variant,
            conversation=conversation,
            contact=unit.contacts.members(said.contact)[0],
            author=said.author,
            at=at,
        )
    )
