"""When complaints are a crisis, from crisis.toml."""

from datetime import timedelta

from router.domain.crisis import CrisisPolicy, Product
from router.settings.files import CrisisFile, Problem, duration

_FILE = "crisis.toml"
#: What a window and a baseline may be.
_WINDOW = (timedelta(minutes=5), timedelta(days=1))
_BASELINE = (timedelta(days=1), timedelta(days=90))


def read_crisis(file: CrisisFile, problems: list[Problem]) -> CrisisPolicy:
    """Return the policy; what is out of range is a problem."""
    window = _span(file.window, "window", _WINDOW, problems)
    baseline = _span(file.baseline, "baseline", _BASELINE, problems)
    if baseline < window:
        problems.append(Problem(file=_FILE, key="baseline", what="is shorter than the window"))
    for name, product in file.products.items():
        if not product.words or not all(word.strip() for word in product.words):
            what = "name the words that customers use"
            problems.append(Problem(file=_FILE, key=f"products.{name}.words", what=what))
    return CrisisPolicy(
        window=window,
        baseline=baseline,
        least=file.least,
        chance=file.chance,
        products={
            name: Product(
                title=dict(product.title), words=tuple(word.lower() for word in product.words)
            )
            for name, product in file.products.items()
        },
    )


def _span(
    text: str, key: str, allowed: tuple[timedelta, timedelta], problems: list[Problem]
) -> timedelta:
    found, (least, most) = duration(text), allowed
    if found is None or not least <= found <= most:
        what = f"{text!r} is not a duration from {least} to {most}"
        problems.append(Problem(file=_FILE, key=key, what=what))
        return least
    return found
