"""A model trained anew beside the one in use: compared on a reference set, adopted if it is safe.

The reference set (`reference/messages.jsonl`) is kept apart: nothing is ever trained on it.
"""

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from router.domain.reading import Alarm, Reading
from router.understanding.encoder import Encoder
from router.understanding.evaluate import Message, MessageScores, score_messages
from router.understanding.learning import (
    NAME,
    Example,
    apart,
    decisions,
    left_out,
    probes,
    solve,
)
from router.understanding.model import Model, digest_line, packed
from router.understanding.reader import RuleReader
from router.understanding.tuned import Tuned

_GRAVE = 3
_SLACK = 0.05  # how much average precision may fall by chance on so small a set
Read = Callable[[str], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How two readers read the reference set. ``lost`` are complaints that only the old one saw."""

    before: MessageScores
    after: MessageScores
    lost: tuple[str, ...]

    @property
    def is_blunter(self) -> bool:
        """Say whether the new one tells complaints apart clearly worse: it may alert on all."""
        return self.after.average_precision < self.before.average_precision - _SLACK


def reference() -> Traversable:
    """Return the file of the reference set that ships with this version."""
    return resources.files("router.understanding").joinpath("reference/messages.jsonl")


def messages_in(file: Traversable | Path) -> tuple[Message, ...]:
    """Read labelled messages; raises ``msgspec.DecodeError`` on a bad row."""
    decoder = msgspec.json.Decoder(Message)
    return tuple(map(decoder.decode, file.read_bytes().splitlines()))


def trained(
    rows: Sequence[Example], *, rules: RuleReader, encoder: Encoder, tuned: Tuned, suffix: str
) -> bytes:
    """Return the file of a model trained on ``rows`` beside ``tuned``.

    ``suffix`` tells its name from the shipped one's. Raises ``ValueError`` if there are too
    few rows to choose thresholds from.
    """
    solved = solve(rows, tuned=tuned, names=rules.rule_names, without=frozenset())
    scores = left_out(solved, apart(rows))
    arrays: dict[str, Any] = {
        **{name: each for name, each in solved.arrays.items() if name != "shift"},
        "name": np.array(f"{NAME}+{suffix}"),
        "decision": decisions(scores, rows),
        "probes": probes(encoder),
    }
    return packed(arrays)


def model_of(data: bytes, tuned: Tuned) -> Model:
    """Return the model that ``data`` holds, trained beside ``tuned``."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Model({name: arrays[name] for name in arrays.files}, tuned)


def compared(messages: Sequence[Message], *, before: Read, after: Read) -> Compared:
    """Read ``messages`` with both readers.

    A complaint is lost if the old reader watched or alerted it and the new one does neither, or if
    it is of severity 3 and no longer alerts.
    """
    old = {each.text: before(each.text) for each in messages}
    new = {each.text: after(each.text) for each in messages}
    lost = tuple(
        each.id for each in messages if each.complaint and _is_lost(each, old[each.text], new)
    )
    return Compared(
        before=score_messages(messages, old.__getitem__),
        after=score_messages(messages, new.__getitem__),
        lost=lost,
    )


def _is_lost(message: Message, old: Reading, new: dict[str, Reading]) -> bool:
    now = new[message.text].complaint
    if old.complaint is Alarm.ALERT and message.severity >= _GRAVE and now is not Alarm.ALERT:
        return True
    return old.complaint is not Alarm.NONE and now is Alarm.NONE


def keep(folder: Path, data: bytes, card: str) -> None:
    """Write a model with its card and, last, its hash, by which a daemon notices it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("reader.npz", data),
        ("CARD.md", card.encode()),
        ("reader.sha256", digest_line(data).encode("ascii")),
    ):
        fresh = folder / f"{name}.{os.getpid()}"
        fresh.write_bytes(content)
        fresh.replace(folder / name)
