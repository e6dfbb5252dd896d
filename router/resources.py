"""Where the folders that ship beside the code are, in a wheel and in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_BUNDLED = _PACKAGE / "_bundled"  # made by the wheel, see tool.hatch.build in pyproject.toml
_CHECKOUT = _PACKAGE.parent


def resource(name: str) -> Path:
    """Return the shipped folder ``name``: the wheel's if there is one, else the checkout's.

    Raises ``FileNotFoundError`` where there is neither, which is an incomplete installation.
    """
    for home in (_BUNDLED, _CHECKOUT):
        folder = home / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no folder {name!r} in {_BUNDLED} or {_CHECKOUT}")
