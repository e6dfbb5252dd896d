"""The shipped folders are found, and a missing one is an error that says where it was sought."""

import pytest

from router.resources import resource


@pytest.mark.parametrize("name", ["config", "alembic"])
def test_a_shipped_folder_is_found(name: str) -> None:
    assert resource(name).is_dir()


def test_a_folder_that_was_never_shipped_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="'lost'"):
        resource("lost")
