"""A script: one approved meaning with a wording for each kind of channel, and what fills it in."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from router.domain.errors import IllegalStep, Invalid, NotFilled, OwnWork
from router.domain.ids import ScriptId

#: The wording that holds where neither the channel nor its family has one of its own.
ANY: Final = "any"
LANGUAGES: Final = ("zh", "en")
#: What a template may name.
VARIABLES: Final = ("contact", "agent", "shop", "channel", "order", "due")

Wordings = Mapping[str, Mapping[str, str]]
"""Channel, family of channels or `ANY` → language → template; all mean the same."""


class ScriptState(StrEnum):
    """Where the wordings that are worked on stand; what was approved before stays in use."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What agents say often. ``meaning`` says in plain words what every wording must say.

    ``wordings`` are worked on, ``approved`` are sent (empty: none is). ``shortcut`` finds it in
    the desk. What is ``promotional`` does not go to a person with an open complaint.
    """

    id: ScriptId
    state: ScriptState
    title: str
    shortcut: str
    category: str
    meaning: str
    wordings: Wordings
    promotional: bool
    updated_at: datetime
    updated_by: str
    approved: Wordings = field(default_factory=dict)
    submitted_by: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    version: int = 0

    def wording(self, *, channel: str, family: str, language: str) -> tuple[str, str]:
        """Return (place, template) that is sent there: the channel's own first; empty if none."""
        return worded(self.approved, channel=channel, family=family, language=language)


def worded(wordings: Wordings, *, channel: str, family: str, language: str) -> tuple[str, str]:
    """Return (place, template) for a channel: its own, its family's, the general one; or empty."""
    spoken = "en" if language == "en" else "zh"
    for place in (channel, family, ANY):
        template = wordings.get(place, {}).get(spoken, "")
        if template:
            return place, template
    return "", ""


def variables_in(template: str, where: str) -> tuple[str, ...]:
    """Return the variables that a template names; raises `Invalid` for what it cannot name."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise Invalid(f"{where}: braces do not match; write {{{{ for a brace itself") from error
    found = []
    for _text, name, spec, conversion in parts:
        if name is None:
            continue
        if name not in VARIABLES or spec or conversion:
            known = ", ".join(f"{{{each}}}" for each in VARIABLES)
            raise Invalid(f"{where}: {{{name}}} is not a variable; there are {known}")
        found.append(name)
    return tuple(dict.fromkeys(found))


def missing_in(template: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables of a template that have no value."""
    return tuple(name for name in variables_in(template, "text") if not values.get(name))


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the words of a template; raises `NotFilled` naming what is not known."""
    if missing := missing_in(template, values):
        raise NotFilled(f"not known: {', '.join(missing)}")
    return string.Formatter().vformat(template, (), dict(values))


def checked(script: Script) -> Script:
    """Return the script with tidy wordings; raises `Invalid` with the field to mend."""
    if not script.title.strip():
        raise Invalid("title: is missing")
    given = {
        place: {lang: text.strip() for lang, text in said.items() if text.strip()}
        for place, said in script.wordings.items()
    }
    given = {place: said for place, said in given.items() if said}
    if not given.get(ANY):
        raise Invalid(f"wordings.{ANY}: write the general wording in at least one language")
    for place, said in given.items():
        for lang, text in said.items():
            if lang not in LANGUAGES:
                raise Invalid(f"wordings.{place}.{lang}: must be zh or en")
            variables_in(text, f"wordings.{place}.{lang}")
    return replace(script, wordings=given, shortcut=script.shortcut.strip().casefold())


def submitted(script: Script, *, by: str) -> Script:
    """Return the script as it waits for approval."""
    if script.state not in {ScriptState.DRAFT, ScriptState.WITHDRAWN}:
        raise IllegalStep(f"the script is {script.state}; only a draft goes into review")
    return replace(script, state=ScriptState.IN_REVIEW, submitted_by=by)


def approved(script: Script, *, by: str, four_eyes: bool, at: datetime) -> Script:
    """Return the script with its wordings approved; raises `IllegalStep` or `OwnWork`."""
    if script.state is ScriptState.APPROVED:
        raise IllegalStep("the script is approved; change it first")
    if four_eyes:
        if script.state is not ScriptState.IN_REVIEW:
            raise IllegalStep("the script must be reviewed before it is approved")
        if by in {script.updated_by, script.submitted_by}:
            raise OwnWork("somebody else must approve what one has written")
    return replace(
        script,
        state=ScriptState.APPROVED,
        approved=script.wordings,
        approved_by=by,
        approved_at=at,
    )


def withdrawn(script: Script) -> Script:
    """Return the script as nobody is offered it any more."""
    if not script.approved:
        raise IllegalStep("nothing of this script is approved")
    return replace(script, state=ScriptState.WITHDRAWN, approved={})
