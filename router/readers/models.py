"""Which models a reader's process opens: the adopted ones, those shipped, or none."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from router.understanding.encoder import (
    Encoder,
    LayeredEncoder,
    ModelUnavailable,
    open_encoder,
)
from router.understanding.model import Model, open_model
from router.understanding.reader import RuleReader
from router.understanding.trained import TrainedReader

#: Folders in the data folder: the adopted model, and the encoder's table as a file.
ADOPTED = "models/reader"
TABLES = "models/encoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What works here. ``reader`` makes the reader around an encoder that may remember."""

    name: str
    warning: str
    encoder: LayeredEncoder | None
    reader: Callable[[LayeredEncoder | None], TrainedReader | RuleReader]


def opened(data: Path, *, shipped: Traversable | None = None) -> Opened:
    """Open the best reader that works: of ``data`` if one was adopted there, else the shipped.

    ``shipped`` is the folder of the weights that ship with this version, if it is another.
    """
    rules = RuleReader()
    try:
        encoder = open_encoder(data / TABLES)
    except ModelUnavailable as error:
        return _small(rules, str(error), None)
    warning, model = "", None
    adopted = data / ADOPTED
    if adopted.is_dir():
        model, warning = _tried(adopted, encoder)
    if model is None:
        model, why = _tried(shipped, encoder)
        warning = warning or why
    if model is None:
        return _small(rules, warning, encoder)
    chosen = model

    def trained(given: LayeredEncoder | None) -> TrainedReader:
        return TrainedReader(model=chosen, encoder=given or encoder, rules=rules)

    return Opened(name=model.name, warning=warning, encoder=encoder, reader=trained)


def _tried(folder: Traversable | None, encoder: Encoder) -> tuple[Model | None, str]:
    try:
        model = open_model(folder)
        model.suits(encoder)
    except ModelUnavailable as error:
        return None, str(error)
    return model, ""


def _small(rules: RuleReader, warning: str, encoder: LayeredEncoder | None) -> Opened:
    def small(_encoder: LayeredEncoder | None) -> RuleReader:
        return rules

    return Opened(name=rules.name, warning=warning, encoder=encoder, reader=small)
