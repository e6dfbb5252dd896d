"""The repository of scripts, the trials of their wordings, and where they were used."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.ids import ContactId, ConversationId, InteractionId, ScriptId, TrialId
from router.domain.script import Script, ScriptState
from router.domain.trial import Measure, ScriptUse, Trial, Variant
from router.service.ports import Conflict
from router.store.codec import dump, load
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_change, the
from router.store.writings import script_uses, scripts, trials

_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_ALL = sa.select(scripts).order_by(scripts.c.category, scripts.c.title, scripts.c.id)
_GET = sa.select(scripts).where(scripts.c.id == sa.bindparam("of"))
_ADD = insert_new(scripts)
_SAVE = sa.update(scripts).where(
    scripts.c.id == sa.bindparam("of"), scripts.c.version == sa.bindparam("expected")
)
_ADD_TRIAL = insert_new(trials)
_TRIAL = sa.select(trials).where(trials.c.id == sa.bindparam("of"))
_SAVE_TRIAL = sa.update(trials).where(
    trials.c.id == sa.bindparam("of"), trials.c.version == sa.bindparam("expected")
)
_TRIALS = (
    sa.select(trials)
    .where(trials.c.script_id == sa.bindparam("of"))
    .order_by(trials.c.started_at.desc(), trials.c.id.desc())
)
_RUNNING = sa.select(trials).where(trials.c.ended_at.is_(None)).order_by(trials.c.started_at)
_USE = insert_new(script_uses)
_oldest = (script_uses.c.at, script_uses.c.interaction_id)
_USES = (
    sa.select(script_uses)
    .where(script_uses.c.trial_id == sa.bindparam("of"))
    .order_by(*_oldest)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
_USES_IN = (
    sa.select(script_uses).where(script_uses.c.conversation_id.in_(_among)).order_by(*_oldest)
)
_of_script = script_uses.c.script_id == sa.bindparam("of")
_COUNT = sa.select(sa.func.count()).select_from(script_uses).where(_of_script)
_LAST = sa.select(sa.func.max(script_uses.c.at)).where(_of_script)


class SqlScripts:
    """Fulfils `router.service.repository.scripts.Scripts` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Script, ...]:
        """Return every script by category and title."""
        return tuple(map(_script, many(self._connection, _ALL)))

    def get(self, script: ScriptId) -> Script:
        """Return a script; raises NotFound."""
        return _script(the(self._connection, _GET, {"of": script}, f"script {script}"))

    def save(self, script: Script) -> Script:
        """Insert (version 0) or write if the version is the stored one; else raise Conflict."""
        values = {**_values(script), "version": script.version + 1}
        problem = f"script {script.id} was changed meanwhile"
        if script.version:
            keys = {"of": script.id, "expected": script.version}
            must_change(self._connection, _SAVE, {**keys, **values}, problem)
        elif not insert(self._connection, _ADD, {"id": script.id, **values}):
            raise Conflict(problem)
        return replace(script, version=script.version + 1)

    def add_trial(self, trial: Trial) -> None:
        """Insert; a second running one of a script's place raises Conflict."""
        values = {"id": trial.id, **_trial_values(trial), "version": trial.version}
        if not insert(self._connection, _ADD_TRIAL, values):
            raise Conflict("a trial of this wording runs already")

    def trial(self, trial: TrialId) -> Trial:
        """Return a trial; raises NotFound."""
        return _trial(the(self._connection, _TRIAL, {"of": trial}, f"trial {trial}"))

    def save_trial(self, trial: Trial) -> Trial:
        """Write if the version is the stored one, else raise Conflict."""
        keys = {"of": trial.id, "expected": trial.version, "version": trial.version + 1}
        problem = f"trial {trial.id} was changed meanwhile"
        must_change(self._connection, _SAVE_TRIAL, {**keys, **_trial_values(trial)}, problem)
        return replace(trial, version=trial.version + 1)

    def trials(self, script: ScriptId) -> tuple[Trial, ...]:
        """Return a script's trials, newest first."""
        return tuple(map(_trial, many(self._connection, _TRIALS, {"of": script})))

    def running(self) -> tuple[Trial, ...]:
        """Return the trials that run."""
        return tuple(map(_trial, many(self._connection, _RUNNING)))

    def use(self, use: ScriptUse) -> bool:
        """Note a use; False if the answer's use is noted already."""
        return insert(
            self._connection,
            _USE,
            {
                "interaction_id": use.interaction,
                "script_id": use.script,
                "trial_id": use.trial,
                "variant": use.variant,
                "conversation_id": use.conversation,
                "contact_id": use.contact,
                "author": use.author,
                "at": use.at,
            },
        )

    def uses(self, trial: TrialId, *, limit: int = 100_000) -> tuple[ScriptUse, ...]:
        """Return the uses in a trial, oldest first."""
        return tuple(map(_use, many(self._connection, _USES, {"of": trial, "at_most": limit})))

    def count_uses(self, script: ScriptId) -> int:
        """Return how often a script was used."""
        counted: int = self._connection.execute(_COUNT, {"of": script}).scalar_one()
        return counted

    def uses_in(self, conversations: Collection[ConversationId]) -> tuple[ScriptUse, ...]:
        """Return the uses in conversations, oldest first."""
        return tuple(map(_use, many(self._connection, _USES_IN, {"members": list(conversations)})))

    def last_use(self, script: ScriptId) -> datetime | None:
        """Return when a script was used last."""
        last: datetime | None = self._connection.execute(_LAST, {"of": script}).scalar_one()
        return last


def _values(script: Script) -> dict[str, Any]:
    return {
        "state": script.state.value,
        "title": script.title,
        "shortcut": script.shortcut,
        "category": script.category,
        "meaning": script.meaning,
        "wordings": dump(script.wordings),
        "approved": dump(script.approved) if script.approved else "",
        "promotional": script.promotional,
        "updated_at": script.updated_at,
        "updated_by": script.updated_by,
        "submitted_by": script.submitted_by,
        "approved_by": script.approved_by,
        "approved_at": script.approved_at,
    }


def _script(row: RowMapping) -> Script:
    wordings = dict[str, dict[str, str]]
    return Script(
        id=ScriptId(row["id"]),
        state=ScriptState(row["state"]),
        title=row["title"],
        shortcut=row["shortcut"],
        category=row["category"],
        meaning=row["meaning"],
        wordings=load(wordings, row["wordings"]),
        approved=load(wordings, row["approved"]) if row["approved"] else {},
        promotional=row["promotional"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
        submitted_by=row["submitted_by"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        version=row["version"],
    )


def _trial_values(trial: Trial) -> dict[str, Any]:
    return {
        "script_id": trial.script,
        "state": "running" if trial.is_running else "ended",
        "place": trial.place,
        "variants": dump(trial.variants),
        "measure": trial.measure.value,
        "planned": trial.planned,
        "started_at": trial.started_at,
        "started_by": trial.started_by,
        "ended_at": trial.ended_at,
        "ended_by": trial.ended_by,
        "winner": trial.winner,
    }


def _trial(row: RowMapping) -> Trial:
    return Trial(
        id=TrialId(row["id"]),
        script=ScriptId(row["script_id"]),
        place=row["place"],
        variants=load(tuple[Variant, ...], row["variants"]),
        measure=Measure(row["measure"]),
        planned=row["planned"],
        started_at=row["started_at"],
        started_by=row["started_by"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        winner=row["winner"],
        version=row["version"],
    )


def _use(row: RowMapping) -> ScriptUse:
    trial = row["trial_id"]
    return ScriptUse(
        interaction=InteractionId(row["interaction_id"]),
        script=ScriptId(row["script_id"]),
        trial=None if trial is None else TrialId(trial),
        variant=row["variant"],
        conversation=ConversationId(row["conversation_id"]),
        contact=ContactId(row["contact_id"]),
        author=row["author"],
        at=row["at"],
    )
