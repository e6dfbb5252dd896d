"""The next one of a value is what `dataclasses.replace` makes."""

from dataclasses import dataclass, replace

import pytest

from router.domain.changed import changed
from tests.builders import a_conversation, an_interaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A value that checks itself."""

    of: float

    def __post_init__(self) -> None:
        if not 0 <= self.of <= 1:
            raise ValueError("expected a share")


def test_what_is_named_changes_and_the_rest_stays() -> None:
    talk, said = a_conversation(), an_interaction()
    assert changed(talk, unread=7, subject="x") == replace(talk, unread=7, subject="x")
    assert changed(said, seq=7) == replace(said, seq=7)
    assert (talk, said) == (a_conversation(), an_interaction())


def test_nothing_named_is_an_equal_value() -> None:
    assert changed(a_conversation()) == a_conversation()


def test_a_field_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        changed(a_conversation(), colour="red")


def test_a_value_that_checks_itself_is_still_checked() -> None:
    assert changed(Share(of=0.5), of=1.0) == Share(of=1.0)
    with pytest.raises(ValueError, match="share"):
        changed(Share(of=0.5), of=2.0)
