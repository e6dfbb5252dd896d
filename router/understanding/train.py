"""Trains the reader and says how it fares: ``python -m router.understanding.train``.

Reads the training set beside this module, and further files as ``--also``; prints every measure on
rows that were left out of training; writes the weights with ``--write``.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from router.domain.reading import Reading
from router.understanding.encoder import open_encoder
from router.understanding.evaluate import MessageScores, Share, score_messages
from router.understanding.fit import Floats, Ints
from router.understanding.learning import (
    HANDS,
    Example,
    Solved,
    apart,
    decisions,
    examples,
    folds_of,
    left_out,
    probes,
    solve,
    told_apart,
)
from router.understanding.model import (
    DECISION,
    LANGUAGES,
    Decision,
    Scores,
    digest_line,
    packed,
)
from router.understanding.reader import RuleReader
from router.understanding.trained import decided
from router.understanding.tuned import open_tuned

_HOME = Path(__file__).parent
_MIDDLE_FOLD = "2"
_ABLATION = (
    ("everything", frozenset[str]()),
    ("without rules", frozenset({"rules"})),
    ("without clauses", frozenset({"first", "last"})),
    ("without meaning and rules", frozenset({"whole", "first", "last"})),
    ("without grams", frozenset({"grams"})),
    ("without tuned layers", frozenset({"tuned"})),
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
    rules, encoder, tuned = RuleReader(), open_encoder(), open_tuned()
    told = told_apart(_HOME / "training")
    rows = [
        row
        for path, known in (
            *((path, False) for path in sorted((_HOME / "training").glob("*.jsonl"))),
            *((path, True) for path in also),
        )
        for row in examples(path, known=known, encoder=encoder, tuned=tuned, rules=rules, told=told)
    ]
    names = rules.rule_names
    click.echo(f"{len(rows)} messages")
    for title, without in _ABLATION[1:] if ablation else ():
        _tell(title, rows, rules, solve(rows, tuned=tuned, names=names, without=without))
    solved = solve(rows, tuned=tuned, names=names, without=frozenset())
    _tell("everything", rows, rules, solved)
    if write:
        scores = left_out(solved, apart(rows))
        data = packed(
            {
                **{name: each for name, each in solved.arrays.items() if name != "shift"},
                "decision": decisions(scores, rows),
                "probes": probes(encoder),
            }
        )
        (_HOME / "models/reader.npz").write_bytes(data)
        (_HOME / "models/reader.sha256").write_text(digest_line(data), encoding="ascii")
        click.echo(f"wrote {len(data)} bytes")


def _tell(title: str, rows: Sequence[Example], rules: RuleReader, solved: Solved) -> None:
    """Print how rows fare that were left out: by blocks, by hand and by kind.

    What the tuned layers add comes, in every way, from layers that saw nothing of the row's hand.
    The thresholds for some rows are chosen on the left-out scores of the others: by hand on the
    other hands' rows, else by halves.
    """
    blocks = folds_of([row.group for row in rows])
    halves = folds_of([f"half {row.group}" for row in rows]) < _MIDDLE_FOLD
    hands = np.array([HANDS.get(row.message.author, "authored") for row in rows])
    kinds = np.array(
        [row.message.kind or f"authored {fold}" for row, fold in zip(rows, blocks, strict=True)]
    )
    for way, groups, chosen_by in (
        ("blocks", blocks, halves),
        ("hands", hands, hands),
        ("kinds", kinds, halves),
    ):
        scores = left_out(solved, groups)
        by_group = {
            group: _decisions_on(rows, scores, np.flatnonzero(chosen_by != group))
            for group in np.unique(chosen_by)
        }
        chosen = [by_group[group] for group in chosen_by]
        for name, at in _subsets(rows, hands):
            told = [
                f"{measure} {value:.3f}"
                for measure, value in _measures(rows, scores, at, chosen, rules)
            ]
            click.echo(f"{title} | {way} left out | {name} ({len(at)}) | {' '.join(told)}")


def _decisions_on(rows: Sequence[Example], scores: Floats, at: Ints) -> Mapping[str, Decision]:
    """Choose the decisions of each language on the rows that ``at`` names."""
    chosen = decisions(scores[at], [rows[place] for place in at.tolist()])
    return {
        language: Decision(**dict(zip(DECISION, map(float, line), strict=True)))
        for language, line in zip(LANGUAGES, chosen, strict=True)
    }


def _subsets(
    rows: Sequence[Example], hands: npt.NDArray[np.str_]
) -> Iterator[tuple[str, list[int]]]:
    for hand in np.unique(hands):
        for language in ("", *LANGUAGES):
            at = [
                place
                for place, row in enumerate(rows)
                if hands[place] == hand and row.message.lang.startswith(language)
            ]
            if at:
                yield f"{hand} {language or 'all'}", at


def _measures(
    rows: Sequence[Example],
    scores: Floats,
    at: Sequence[int],
    chosen: Sequence[Mapping[str, Decision]],
    rules: RuleReader,
) -> Iterator[tuple[str, float]]:
    by_text = {rows[place].message.text: place for place in at}

    def read(text: str) -> Reading:
        row = rows[by_text[text]]
        ruled = rules.judged(row.found, text, language=None)
        scored = [Scores(heads=scores[by_text[text]], words=())]
        decision = chosen[by_text[text]][ruled.language]
        return decided(ruled, scored, decision=decision, by="left out")

    told: MessageScores = score_messages([rows[place].message for place in at], read)
    for name in MessageScores.__dataclass_fields__:
        value = getattr(told, name)
        yield name, value.value if isinstance(value, Share) else value


if __name__ == "__main__":
    main()
