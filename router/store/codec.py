"""Domain values to JSON text and back. Strict both ways: what is not understood is an error.

Every dataclass is written with the name of its class under ``$``, so that a member of a union is
found again. Bytes are base64, times ISO 8601, durations ISO 8601, collections lists.
"""

import base64
import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from math import isfinite
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from router.store.types import storable

TAG = "$"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Loader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

#: Types whose values JSON has as they are.
_AS_THEY_ARE = frozenset({bool, int, types.NoneType})
_PLAIN = _AS_THEY_ARE | {str}


class Unreadable(ValueError):
    """Stored text does not hold the value that was asked for."""


def dump(value: Any) -> str:
    """Return ``value`` as JSON text. Raises TypeError for what could not be read back."""
    if type(value) is dict and (plain := _if_plain(value)) is not None:
        return plain
    return _encode(_plain(value)).decode()


def load(kind: Any, text: str) -> Any:
    """Return the value of type (or union) ``kind`` that ``text`` holds, or raise `Unreadable`."""
    try:
        return _loader(kind)(_decode(text))
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Unreadable(f"not a {_named(kind)}: {error}") from error


#: As `dump`, for values that cannot change and are written alike over and over.
dump_once = lru_cache(4096)(dump)


# ----- out ------------------------------------------------------------------------------------


def _if_plain(value: dict[Any, Any]) -> str | None:
    """Return the text of a mapping that JSON has as it is; most are, and it costs a third."""
    if not all(type(key) is str for key in value) or not all(
        type(each) in _PLAIN or isinstance(each, StrEnum) for each in value.values()
    ):
        return None
    try:
        text = _encode(value).decode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return None if "\\u0000" in text else text


def _plain(value: Any) -> Any:
    """Return what JSON has for ``value``; most values are texts, and dataclasses of them."""
    kind = type(value)
    if kind is str:
        return storable(value)
    return _writer(kind)(value)  # type: ignore[arg-type]  # every class is hashable


@cache
def _writer(kind: type) -> Writer:
    """Return how to write a ``kind``; made once for each type."""
    if kind in _AS_THEY_ARE:
        return _as_it_is
    if issubclass(kind, dict):
        return _plain_mapping
    if not dataclasses.is_dataclass(kind):
        return _plain_other
    names = tuple(each.name for each in dataclasses.fields(kind))
    tag = {TAG: kind.__name__}
    return lambda value: {**tag, **{name: _plain(getattr(value, name)) for name in names}}


def _plain_mapping(value: Mapping[Any, Any]) -> Any:
    return {_name(key): _plain(each) for key, each in value.items()}


def _plain_other(value: Any) -> Any:  # noqa: PLR0911  one case for each kind of value
    match value:
        case int():
            return value
        case str():
            return storable(value)
        case float() if isfinite(value):
            return value
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() if value.tzinfo is not None:
            return value.isoformat()
        case timedelta():
            return msgspec.to_builtins(value)
        case Mapping():
            return _plain_mapping(value)
        case AbstractSet():
            return sorted((_plain(each) for each in value), key=_encode)
        case Sequence():
            return [_plain(each) for each in value]
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be stored: {value!r}")


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"expected text as a key, got {type(key).__name__}")
    return storable(key)


# ----- back -----------------------------------------------------------------------------------


@cache
def _loader(kind: Any) -> Loader:  # noqa: PLR0911  one case for each kind of type
    """Return how to read a ``kind`` from what JSON gave; made once for each type."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return _as_it_is
    if kind is str:
        return _text
    if origin in (Union, types.UnionType):
        return _union(kind, inner)
    if _is_value(kind):
        return _dataclass(kind)
    if origin is tuple and inner[1:] != (Ellipsis,):
        return _fixed(kind, tuple(map(_loader, inner)))
    if origin in (tuple, frozenset):
        return _collection(kind, origin, _loader(inner[0]))
    if origin in (dict, Mapping):
        return _mapping(kind, _loader(inner[1]))
    return lambda plain: msgspec.convert(plain, kind)


def _is_value(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


def _as_it_is(plain: Any) -> Any:
    return plain


def _text(plain: Any) -> Any:
    return plain if type(plain) is str else _expect(plain, str, str)


def _named(kind: Any) -> str:
    return getattr(kind, "__name__", None) or str(kind)


def _expect(plain: Any, wanted: type, kind: Any) -> Any:
    if not isinstance(plain, wanted):
        raise Unreadable(f"expected a {_named(kind)}, got {type(plain).__name__}")
    return plain


def _union(kind: Any, members: tuple[Any, ...]) -> Loader:
    tagged = {each.__name__: _loader(each) for each in members if _is_value(each)}
    rest = tuple(each for each in members if not _is_value(each))
    untagged = _only(rest, kind)

    def read(plain: Any) -> Any:
        if plain is None and type(None) in rest:
            return None
        tag = plain.get(TAG) if isinstance(plain, dict) else None
        if tag is None and untagged is not None:
            return untagged(plain)
        if tag not in tagged:
            raise Unreadable(f"expected one of {', '.join(tagged)}, got {tag!r}")
        return tagged[tag](plain)

    return read


def _only(rest: tuple[Any, ...], kind: Any) -> Loader | None:
    some = [each for each in rest if each is not type(None)]
    if len(some) > 1:
        raise TypeError(f"{kind} has more than one member that carries no tag")
    return _loader(some[0]) if some else None


def _dataclass(kind: Any) -> Loader:
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    loaders = {each.name: _loader(hints[each.name]) for each in fields}
    needed = {each.name for each in fields if _is_needed(each)}
    known = {TAG, *loaders}

    def read(plain: Any) -> Any:
        given = _expect(plain, dict, kind)
        tag = given.get(TAG)
        if tag != kind.__name__:
            raise Unreadable(f"expected a {kind.__name__}, got {tag!r}")
        if given.keys() != known:
            if unknown := given.keys() - known:
                raise Unreadable(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
            if missing := needed - given.keys():
                raise Unreadable(f"{kind.__name__} lacks {', '.join(sorted(missing))}")
        return kind(**{name: loaders[name](given[name]) for name in given if name != TAG})

    return read


def _is_needed(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _collection(kind: Any, make: Any, one: Loader) -> Loader:
    return lambda plain: make(one(each) for each in _expect(plain, list, kind))


def _fixed(kind: Any, parts: tuple[Loader, ...]) -> Loader:
    def read(plain: Any) -> Any:
        if len(_expect(plain, list, kind)) != len(parts):
            raise Unreadable(f"expected {len(parts)} parts, got {len(plain)}")
        return tuple(part(each) for part, each in zip(parts, plain, strict=True))

    return read


def _mapping(kind: Any, one: Loader) -> Loader:
    return lambda plain: {name: one(each) for name, each in _expect(plain, dict, kind).items()}
