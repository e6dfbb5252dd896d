"""Values made of stored fields are what their classes would have made."""

from dataclasses import dataclass, fields
from typing import Any

import pytest

from router.domain.content import Text
from router.domain.timeline import Interaction
from router.store.making import maker


@dataclass(frozen=True)
class Slotless:
    at: int


@dataclass(frozen=True, slots=True)
class Looking:
    at: int

    def __post_init__(self) -> None:
        """Look at what it is given."""


def test_what_is_made_equals_what_its_class_makes() -> None:
    values: list[Any] = [f"value {place}" for place, _ in enumerate(fields(Interaction))]
    given = {each.name: value for each, value in zip(fields(Interaction), values, strict=True)}
    assert maker(Interaction)(values) == Interaction(**given)
    assert hash(maker(Text)(["words"])) == hash(Text(text="words"))


def test_a_field_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        maker(Interaction)(["only", "some"])


@pytest.mark.parametrize("kind", [Slotless, Looking])
def test_a_class_that_must_do_it_itself_is_refused(kind: type[Any]) -> None:
    with pytest.raises(TypeError, match="made by its class"):
        maker(kind)
