"""Tunes the encoder's upper layers on labelled messages: ``python -m router.understanding.tune``.

Needs PyTorch, on one core for some twenty minutes; nothing else of the house does. Writes the
layers with their hash beside the weights, and beside the training set what layers say of each
message that never saw anything of its hand: `train.py` measures and chooses thresholds by that.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import numpy as np

from router.understanding.encoder import open_encoder
from router.understanding.features import parts_of
from router.understanding.fit import Floats, Ints
from router.understanding.layers import BRANCHES, CHANNELS, TINY, UPPER, Floats32
from router.understanding.learning import HANDS, Labelled, targets_of
from router.understanding.model import HEADS, packed

_HOME = Path(__file__).parent
_SEED: Final = 0
_PASSES, _BATCH = 7, 64
_RATE, _HEAD_RATE, _WARM, _DECAY = 3e-4, 3e-3, 0.06, 0.01
_DROP_WORDS, _DROP_WHOLE, _DROP_DEEP = 0.1, 0.3, 0.15
_MOST_PIECES = 160
_RANK: Final = 64  # of each matrix's difference: its scores correlate at .999 with the full ones
_HEAD_SCALE = 8.0  # vectors of length one meet heads of usual size
_LOSS = {"complaint": 1.0, "grave": 0.5, "human": 0.5, "severity": 0.3, "sentiment": 0.7}
_TOPIC_LOSS = 0.4
_CHANCES, _VALUES = ("complaint", "grave", "human"), ("severity", "sentiment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """All messages after the lower layers, one below the other; ``starts`` tells them apart."""

    pieces: Floats32
    hidden: Any
    starts: Ints


@click.command()
@click.option(
    "--also",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A further labelled file.",
)
def main(also: tuple[Path, ...]) -> None:
    """Tune the layers: once without each hand, and once on all."""
    files = (*sorted((_HOME / "training").glob("*.jsonl")), *also)
    decoder = msgspec.json.Decoder(Labelled)
    rows = [decoder.decode(line) for path in files for line in path.read_bytes().splitlines()]
    seen = _looked_up([parts_of(row.text)[0] for row in rows])
    targets = targets_of(rows)
    hands = np.array([HANDS.get(row.author, "authored") for row in rows])
    told = np.zeros((len(rows), len(HEADS)), dtype=np.float16)
    for hand in np.unique(hands):
        out = hands == hand
        told[out] = _tuned(seen, targets, ~out).says(np.flatnonzero(out))
        click.echo(f"left out: {hand} ({out.sum()})")
    data = packed(_tuned(seen, targets, np.ones(len(rows), dtype=bool)).arrays())
    (_HOME / "models/tuned.npz").write_bytes(data)
    digest = f"{hashlib.sha256(data).hexdigest()}  tuned.npz\n"
    (_HOME / "models/tuned.sha256").write_text(digest, encoding="ascii")
    (_HOME / "training/told_apart.npz").write_bytes(
        packed({"ids": np.array([row.id for row in rows]), "told": told})
    )
    click.echo(f"wrote {len(data)} bytes")


def _looked_up(texts: Sequence[str]) -> Pieces:
    """Run the lower layers once over ``texts``, each cut to so many pieces."""
    encoder = open_encoder()
    pieces, hidden, lengths = [], [], []
    for text in texts:
        words = encoder.looked_up((text,))
        pieces.append(words.pieces[:_MOST_PIECES].astype(np.float16))
        hidden.append(words.hidden[:_MOST_PIECES].astype(np.float16))
        lengths.append(len(pieces[-1]))
    return Pieces(
        pieces=np.concatenate(pieces),
        hidden=np.concatenate(hidden),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
    )


class _Layers:
    """The upper layers in PyTorch, with a head; starts from the packaged ones."""

    def __init__(self, seen: Pieces) -> None:
        self.torch = torch = import_module("torch")
        torch.set_num_threads(1)
        torch.manual_seed(_SEED)
        self._start = open_encoder().upper_layers()
        self.body = {name: torch.tensor(self._start[name], requires_grad=True) for name in UPPER}
        head = torch.randn(self._start["d3"].shape[1], len(HEADS)) * 0.02
        self.head = head.requires_grad_()
        self.bias = torch.zeros(len(HEADS), requires_grad=True)
        self._tiny = TINY
        self._seen = seen

    def __call__(self, rows: Ints, *, learning: bool) -> Any:
        """Return the scores of ``rows``."""
        torch, body = self.torch, self.body
        nn = torch.nn.functional
        starts, ends = self._seen.starts[rows], self._seen.starts[rows + 1]
        at = np.concatenate([np.arange(a, b) for a, b in zip(starts, ends, strict=True)])
        lengths = ends - starts
        pieces = torch.from_numpy(self._seen.pieces[at].astype(np.float32))
        hidden = torch.from_numpy(self._seen.hidden[at].astype(np.float32))
        hidden = nn.dropout(hidden, _DROP_WORDS, learning)
        near = np.arange(len(at))[:, None] + np.arange(-2, 3)
        first = np.repeat(np.cumsum(lengths) - lengths, lengths)[:, None]
        inside = (near >= first) & (near < first + np.repeat(lengths, lengths)[:, None])
        windows = torch.from_numpy(np.where(inside, near, len(at)))
        seen = [pieces]
        for branch, (size, before) in enumerate(BRANCHES):
            mine = hidden[:, branch * CHANNELS : (branch + 1) * CHANNELS]
            held = torch.cat([mine, torch.zeros(1, CHANNELS)])
            beside = held[windows[:, 2 - before : 2 - before + size]].reshape(len(at), -1)
            seen.append(torch.relu(beside @ body[f"w2_{size}"] + body[f"b2_{size}"]) + mine)
        wide = torch.cat(seen, 1)
        level = nn.layer_norm(wide, wide.shape[1:], body["ln_g"], body["ln_b"], self._tiny)
        long = torch.from_numpy(lengths.astype(np.float32))[:, None]
        owner = torch.from_numpy(np.repeat(np.arange(len(rows)), lengths))
        total = torch.zeros(len(rows), wide.shape[1]).index_add_(0, owner, level)
        whole = (total @ body["cnn_W"] + long * body["cnn_b"]) / long.sqrt()
        whole = nn.dropout(whole, _DROP_WHOLE, learning)
        once = torch.relu(whole @ body["p1"] + torch.relu(whole @ body["d0"]) @ body["d1"])
        once = nn.dropout(once, _DROP_DEEP, learning)
        told = torch.tanh(once @ body["p3"] + torch.relu(once @ body["d2"]) @ body["d3"])
        length = torch.sqrt(torch.clamp((told * told).sum(1, keepdim=True), min=self._tiny))
        return (told / length) @ self.head * _HEAD_SCALE + self.bias

    def says(self, rows: Ints) -> Floats32:
        """Return the scores of ``rows``, as many at once as fit the cache."""
        with self.torch.no_grad():
            told = [
                self(rows[at : at + _BATCH], learning=False).numpy()
                for at in range(0, len(rows), _BATCH)
            ]
        return np.concatenate(told)

    def arrays(self) -> Mapping[str, Any]:
        """Return what ``Tuned`` reads, in 16 bits: of each matrix the difference, made narrow."""
        held = {**self.body, "head": self.head * _HEAD_SCALE, "head_bias": self.bias}
        plain = {name: each.detach().numpy() for name, each in held.items()}
        for name, packaged in self._start.items():
            if packaged.ndim > 1:
                left, sizes, right = np.linalg.svd(plain.pop(name) - packaged, full_matrices=False)
                plain[f"{name}_down"] = left[:, :_RANK] * sizes[:_RANK]
                plain[f"{name}_up"] = right[:_RANK]
        return {name: each.astype(np.float16) for name, each in plain.items()}


def _tuned(seen: Pieces, targets: Floats, on: Any) -> _Layers:
    """Tune on the rows that ``on`` names; the same rows give the same layers on one machine."""
    layers = _Layers(seen)
    torch = layers.torch
    wanted = torch.from_numpy(targets.astype(np.float32))
    rows = np.flatnonzero(on)
    rng = np.random.default_rng(_SEED)
    body = list(layers.body.values())
    optimiser = torch.optim.AdamW(
        [
            {"params": body, "weight_decay": _DECAY},
            {"params": [layers.head, layers.bias], "weight_decay": 0.0},
        ]
    )
    steps = _PASSES * -(-len(rows) // _BATCH)
    step = 0
    for _ in range(_PASSES):
        shuffled = rng.permutation(rows)
        for at in range(0, len(rows), _BATCH):
            batch = shuffled[at : at + _BATCH]
            pace = min(1.0, (step + 1) / (_WARM * steps)) * max(0.02, 1 - step / steps)
            for group, rate in zip(optimiser.param_groups, (_RATE, _HEAD_RATE), strict=True):
                group["lr"] = rate * pace
            loss = _loss(torch, layers(batch, learning=True), wanted[batch])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(body, 1.0)
            optimiser.step()
            step += 1
    return layers


def _loss(torch: Any, told: Any, wanted: Any) -> Any:
    """Return how far ``told`` is from the targets: chances, values and the share of each topic."""
    nn = torch.nn.functional
    total = 0.0
    measures: tuple[tuple[Sequence[str], Callable[[Any, Any], Any]], ...] = (
        (_CHANCES, lambda a, b: nn.binary_cross_entropy_with_logits(a, (b + 1) / 2)),
        (_VALUES, nn.mse_loss),
    )
    for names, measure in measures:
        for name in names:
            at = HEADS.index(name)
            total = total + _LOSS[name] * measure(told[:, at], wanted[:, at])
    share = (wanted[:, len(_LOSS) :] + 1) / 2
    share = share / share.sum(1, keepdim=True)
    topics = -(share * torch.log_softmax(told[:, len(_LOSS) :], 1)).sum(1).mean()
    return total + _TOPIC_LOSS * topics


if __name__ == "__main__":
    main()
