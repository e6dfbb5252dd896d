"""Which reader is at hand: the trained one, or the rules where its parts are missing."""

from importlib.resources.abc import Traversable

from router.understanding.encoder import ModelUnavailable, open_encoder
from router.understanding.model import open_model
from router.understanding.reader import RuleReader
from router.understanding.trained import TrainedReader


def open_reader(
    models: Traversable | None = None,
) -> tuple[TrainedReader | RuleReader, str | None]:
    """Return the best reader that works here, and a warning for the health page if it is not best.

    ``models`` is the folder of the weights, if not those shipped. Takes a second or two, and sets
    this process's BLAS to one thread.
    """
    rules = RuleReader()
    try:
        return open_trained(rules, models), None
    except ModelUnavailable as error:
        return rules, f"messages are read by rules alone: {error}"


def open_trained(rules: RuleReader, models: Traversable | None = None) -> TrainedReader:
    """Return the trained reader; raises ``ModelUnavailable`` if it cannot work here."""
    return TrainedReader(model=open_model(models), encoder=open_encoder(), rules=rules)
