"""How alike texts are: the cosine of their terms, each weighed by its rarity among them."""

import math
from collections.abc import Sequence

from router.understanding.terms import terms_of


def near(texts: Sequence[str], least: float) -> tuple[tuple[int, int, float], ...]:
    """Return the pairs (one, other, cosine) that are at least so alike, ``one`` < ``other``.

    Only texts with a term in common are compared; 500 short ones take a fraction of a second.
    """
    terms = [dict(terms_of(each)) for each in texts]
    held: dict[str, list[int]] = {}
    for at, each in enumerate(terms):
        for term in each:
            held.setdefault(term, []).append(at)
    rarity = {
        term: math.log(1 + (len(texts) + 0.5) / (len(places) + 0.5))
        for term, places in held.items()
    }
    weights = [{term: count * rarity[term] for term, count in each.items()} for each in terms]
    lengths = [math.sqrt(sum(value * value for value in each.values())) for each in weights]
    products: dict[tuple[int, int], float] = {}
    for term, places in held.items():
        for first, one in enumerate(places):
            for other in places[first + 1 :]:
                value = weights[one][term] * weights[other][term]
                products[one, other] = products.get((one, other), 0.0) + value
    found = []
    for (one, other), value in products.items():
        cosine = value / (lengths[one] * lengths[other])
        if cosine >= least:
            found.append((one, other, min(1.0, cosine)))
    return tuple(sorted(found))
