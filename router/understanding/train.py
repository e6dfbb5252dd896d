"""Trains the reader and says how it fares: ``python -m router.understanding.train``.

Reads the training set beside this module, and further files as ``--also``; prints every measure on
rows that were left out of training; writes the weights with ``--write``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from router.domain.reading import Reading
from router.understanding.encoder import open_encoder
from router.understanding.evaluate import MessageScores, Share, score_messages
from router.understanding.fit import Floats
from router.understanding.learning import (
    Example,
    decisions,
    examples,
    folds_of,
    left_out,
    probes,
    solve,
)
from router.understanding.model import DECISION, LANGUAGES, Decision, Scores, digest_line, packed
from router.understanding.reader import RuleReader
from router.understanding.trained import decided

_HOME = Path(__file__).parent
_ABLATION = (
    ("everything", frozenset[str]()),
    ("without rules", frozenset({"rules"})),
    ("without clauses", frozenset({"first", "last"})),
    ("without meaning and rules", frozenset({"whole", "first", "last"})),
    ("without grams", frozenset({"grams"})),
)


@click.command()
@click.option(
    "--also",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A further labelled file, with which the lexicon was written in view.",
)
@click.option("--write", is_flag=True, help="Write the weights and their hash.")
@click.option("--ablation", is_flag=True, help="Also train without each part.")
def main(also: tuple[Path, ...], *, write: bool, ablation: bool) -> None:
    """Train the reader on the labelled messages of this repository."""
    rules, encoder = RuleReader(), open_encoder()
    rows = [
        row
        for path, known in (
            *((path, False) for path in sorted((_HOME / "training").glob("*.jsonl"))),
            *((path, True) for path in also),
        )
        for row in examples(path, known=known, encoder=encoder, rules=rules)
    ]
    click.echo(f"{len(rows)} messages")
    for title, without in _ABLATION if ablation else _ABLATION[:1]:
        _tell(title, rows, rules, without)
    if write:
        solved = solve(rows, names=rules.rule_names, without=frozenset())
        scores = left_out(solved, folds_of([row.group for row in rows]))
        data = packed(
            {
                **{name: each for name, each in solved.arrays.items() if name != "shift"},
                "decision": decisions(scores, [row.message for row in rows]),
                "probes": probes(encoder),
            }
        )
        (_HOME / "models/reader.npz").write_bytes(data)
        (_HOME / "models/reader.sha256").write_text(digest_line(data), encoding="ascii")
        click.echo(f"wrote {len(data)} bytes")


def _tell(title: str, rows: Sequence[Example], rules: RuleReader, without: frozenset[str]) -> None:
    """Print how rows fare that were left out: by blocks, by author and by kind."""
    solved = solve(rows, names=rules.rule_names, without=without)
    chosen = decisions(
        left_out(solved, folds_of([row.group for row in rows])), [row.message for row in rows]
    )
    ways = {
        "blocks": folds_of([row.group for row in rows]),
        "authors": np.array([row.message.author or "authored" for row in rows]),
        "kinds": np.array(
            [
                row.message.kind or f"authored {fold}"
                for row, fold in zip(rows, folds_of([row.group for row in rows]), strict=True)
            ]
        ),
    }
    for way, groups in ways.items():
        scores = left_out(solved, groups)
        for name, at in _subsets(rows):
            told = [
                f"{measure} {value:.3f}"
                for measure, value in _measures(rows, scores, at, chosen, rules)
            ]
            click.echo(f"{title} | {way} left out | {name} ({len(at)}) | {' '.join(told)}")


def _subsets(rows: Sequence[Example]) -> Iterator[tuple[str, list[int]]]:
    for known in (False, True):
        for language in (*LANGUAGES, ""):
            at = [
                place
                for place, row in enumerate(rows)
                if row.known is known and row.message.lang.startswith(language)
            ]
            if at:
                yield f"{'authored' if known else 'own'} {language or 'all'}", at


def _measures(
    rows: Sequence[Example], scores: Floats, at: Sequence[int], chosen: Floats, rules: RuleReader
) -> Iterator[tuple[str, float]]:
    by_text = {rows[place].message.text: place for place in at}
    by_language = {
        language: Decision(**dict(zip(DECISION, map(float, line), strict=True)))
        for language, line in zip(LANGUAGES, chosen, strict=True)
    }

    def read(text: str) -> Reading:
        row = rows[by_text[text]]
        ruled = rules.judged(row.found, text, language=None)
        scored = [Scores(heads=scores[by_text[text]], words=())]
        return decided(ruled, scored, decision=by_language[ruled.language], by="left out")

    told: MessageScores = score_messages([rows[place].message for place in at], read)
    for name in MessageScores.__dataclass_fields__:
        value = getattr(told, name)
        yield name, value.value if isinstance(value, Share) else value


if __name__ == "__main__":
    main()
