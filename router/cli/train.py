"""`mainstem train`: the reader learns from the training set and from colleagues' corrections."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from importlib import resources
from pathlib import Path

import click
import msgspec

from router.daemon import SystemClock, SystemIds
from router.domain.reading import Intent
from router.readers.models import ADOPTED
from router.service.records import Correction
from router.service.unit import Unit
from router.settings.load import Settings
from router.store.engine import open_store
from router.store.migrate import upgrade
from router.understanding.encoder import LayeredEncoder, ModelUnavailable, open_encoder
from router.understanding.evaluate import Share
from router.understanding.model import open_model
from router.understanding.reader import RuleReader
from router.understanding.trained import TrainedReader
from router.understanding.tuned import Tuned, open_tuned

_PAGE = 500
_CARD = """# The adopted reader (`reader.npz`, {name})

| | |
|---|---|
| trained on | {shipped} messages of `{training}` and {corrected} corrections by colleagues |
| by | `mainstem train`, {at:%Y-%m-%d %H:%M} UTC |
| before | {before} |
| reference set | {reference} messages that nothing was trained on |

Measures on the reference set, before and after:

{measures}

It holds weights and vectors, and no text of any customer. Adopted because no complaint of the
reference set that the reader before had caught was lost.
"""


def train_reader(
    settings: Settings,
    *,
    training: Path | None,
    reference: Path | None,
    out: Path | None,
    adopt: bool,
) -> bool:
    """Train, print before and after, keep what is safe; return whether it is safe to adopt."""
    try:
        from router.understanding import adopt as adopting  # noqa: PLC0415  needs SciPy
        from router.understanding.learning import examples, told_apart  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"training needs {error.name}: install it with pip install 'mainstem[train]'"
        ) from error
    folder = training or _shipped()
    corrections = asyncio.run(_corrections(settings))
    rules, (encoder, tuned) = RuleReader(), _parts()
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise click.ClickException(f"{folder} holds no .jsonl files: name the folder by --training")
    click.echo(f"{len(corrections)} corrections; looking at the messages of {folder}")
    try:
        rows = [
            row
            for file in files
            for row in examples(
                file,
                known=False,
                encoder=encoder,
                tuned=tuned,
                rules=rules,
                told=told_apart(folder),
            )
        ]
        shipped = len(rows)
        with tempfile.TemporaryDirectory() as scratch:
            own = Path(scratch) / "corrections.jsonl"
            own.write_bytes(b"".join(_rows(corrections)))
            rows += examples(own, known=False, encoder=encoder, tuned=tuned, rules=rules)
        held_out = adopting.messages_in(reference or adopting.reference())
    except msgspec.DecodeError as error:
        raise click.ClickException(f"a labelled file cannot be read: {error}") from error
    now = SystemClock().now()
    click.echo(f"training on {len(rows)} messages")
    try:
        data = adopting.trained(
            rows,
            rules=rules,
            encoder=encoder,
            tuned=tuned,
            suffix=f"{len(corrections)}.{now:%Y%m%d%H%M}",
        )
    except ValueError as error:
        raise click.ClickException(
            f"thresholds cannot be chosen from so few messages: {error}"
        ) from error
    after = TrainedReader(model=adopting.model_of(data, tuned), encoder=encoder, rules=rules)
    before = _before(settings, encoder, rules)
    found = adopting.compared(held_out, before=before.read, after=after.read)
    measures = list(_measures(found.before, found.after))
    click.echo(f"\nreference set of {len(held_out)} messages: {before.name}, then {after.name}")
    for line in measures:
        click.echo(line)
    card = _CARD.format(
        name=after.name,
        shipped=shipped,
        training=folder.name,
        corrected=len(corrections),
        at=now,
        before=before.name,
        reference=len(held_out),
        measures="\n".join(f"    {line}" for line in measures),
    )
    if out is not None:
        adopting.keep(out, data, card)
        click.echo(f"written to {out}")
    if found.lost:
        click.echo(f"not adopted: it loses {len(found.lost)}: {', '.join(found.lost)}")
        return False
    if found.is_blunter:
        click.echo("not adopted: it tells complaints from ordinary messages clearly worse")
        return False
    if adopt:
        adopting.keep(settings.data / ADOPTED, data, card)
        click.echo(f"adopted as {after.name}; a running daemon takes it within seconds")
    else:
        click.echo("it loses no complaint; adopt it with --adopt")
    return True


def _shipped() -> Path:
    return Path(str(resources.files("router.understanding").joinpath("training")))


def _parts() -> tuple[LayeredEncoder, Tuned]:
    try:
        return open_encoder(), open_tuned()
    except ModelUnavailable as error:
        raise click.ClickException(f"nothing can be trained: {error}") from error


def _before(
    settings: Settings, encoder: LayeredEncoder, rules: RuleReader
) -> TrainedReader | RuleReader:
    """Return the reader in use: the adopted one, the shipped one, or the rules."""
    for folder in (settings.data / ADOPTED, None):
        if folder is None or folder.is_dir():
            try:
                return TrainedReader(model=open_model(folder), encoder=encoder, rules=rules)
            except ModelUnavailable as error:
                click.echo(f"not in use: {error}", err=True)
    return rules


async def _corrections(settings: Settings) -> tuple[Correction, ...]:
    """Return the last correction of each message, oldest first."""
    await upgrade(settings.database_url)
    store = open_store(settings.database_url, clock=SystemClock(), ids=SystemIds())
    latest: dict[str, Correction] = {}
    try:
        before = ""
        while True:
            page = await store.read(_page, before)
            for each in page:
                latest.setdefault(each.interaction, each)
            if len(page) < _PAGE:
                break
            before = page[-1].id
    finally:
        await store.close()
    return tuple(sorted(latest.values(), key=_when))


def _when(correction: Correction) -> tuple[datetime, str]:
    return correction.at, correction.id


def _page(unit: Unit, before: str) -> tuple[Correction, ...]:
    return unit.corrections.newest(before=before, limit=_PAGE)


def _rows(corrections: Sequence[Correction]) -> Iterator[bytes]:
    for each in corrections:
        labels = each.labels
        mood = -0.2 - 0.2 * labels.severity if labels.complaint else _kept_mood(each)
        row = {
            "id": each.id,
            "text": each.text,
            "lang": labels.language,
            "intent": Intent(labels.intent).value,
            "complaint": int(labels.complaint),
            "severity": labels.severity,
            "wants_human": int(labels.wants_human),
            "sentiment": mood,
            "kind": "corrected",
            "author": "shop",
        }
        yield msgspec.json.encode(row) + b"\n"


def _kept_mood(correction: Correction) -> float:
    """Return a mood that is no complaint's: the reader's own, but not below calm."""
    return max(0.0, correction.before.sentiment) if correction.before else 0.0


def _measures(before: object, after: object) -> Iterator[str]:
    for each in fields(before):  # type: ignore[arg-type]
        old, new = (
            value.value if isinstance(value, Share) else value
            for value in (getattr(before, each.name), getattr(after, each.name))
        )
        yield f"{each.name.replace('_', ' '):<22} {old:6.3f}  {new:6.3f}"
