"""What a text must hold before an expression can match it, so that most need not be tried."""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final

_MOST: Final = 120  # pieces: an expression with more of them is cheaper tried than looked up
_LONGEST: Final = 4  # characters of a piece
_CHINESE: Final = 2  # characters of a piece that is not ASCII; two of them tell as much
_COMMON_LETTERS: Final = "zxjqkvbpygfwmuclrhdsnioaet"  # the rarest first, as English uses them
_EVERYWHERE: Final = frozenset("不没了是我的你有在一这个就都说要到还会也来好么")
_RARE_SIGNS: Final = frozenset("&*#@/+%=")
_PARSER: Final = import_module("re._parser")  # what `re` itself compiles from; its form is stable
_OP: Final = import_module("re._constants")
_HAS_WORD: Final = re.compile(r"[!-~]{3}")


def anchors_of(pattern: re.Pattern[str]) -> frozenset[str] | None:
    """Return short pieces of which every text that ``pattern`` matches holds one.

    None if no such set is known: the expression must be tried on every text. Case is taken as
    written.
    """
    return _of(_PARSER.parse(pattern.pattern, pattern.flags))


def anchors_in(text: str) -> frozenset[str]:
    """Return all pieces of ``text`` that ``anchors_of`` might name."""
    sizes = range(2, _LONGEST + 1) if _HAS_WORD.search(text) else range(2, _CHINESE + 1)
    return frozenset(text).union(
        *([text[at : at + size] for at in range(len(text) - size + 1)] for size in sizes)
    )


def _of(parts: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """Return the best set that any of ``parts``, which follow one another, asks for."""
    known = [each for each in _each(parts) if each is not None and 0 < len(each) <= _MOST]
    return min(known, key=_cost, default=None)


def _cost(anchors: frozenset[str]) -> tuple[int, int]:
    """Prefer what few texts hold: longer pieces, then fewer of them."""
    return -min(map(_weight, anchors)), len(anchors)


def _weight(anchor: str) -> int:
    if anchor in _EVERYWHERE:
        return 1
    if anchor in _RARE_SIGNS:
        return 2
    return min(len(anchor) if anchor.isascii() else 2 * len(anchor), _LONGEST)


def _each(parts: Iterable[tuple[Any, Any]]) -> Iterator[frozenset[str] | None]:
    run = ""
    for op, value in parts:
        if op is _OP.LITERAL:
            run += chr(value)
            continue
        yield from _of_run(run)
        run = ""
        if op is _OP.SUBPATTERN:
            yield _of(value[-1])
        elif op is _OP.BRANCH:
            yield _of_any(value[1])
        elif op is _OP.IN:
            yield _of_class(value)
        elif op in {_OP.MAX_REPEAT, _OP.MIN_REPEAT} and value[0] > 0:
            yield _of(value[-1])
    yield from _of_run(run)


def _of_run(run: str) -> Iterator[frozenset[str]]:
    """Yield the pieces of ``run``, each of which must be there; of English words the rarest."""
    size = min(len(run), _LONGEST if run.isascii() else _CHINESE)
    cut = [run[at : at + size] for at in range(len(run) - size + 1)] if size else []
    if run.isascii():
        cut = sorted(cut, key=lambda piece: sum(map(_COMMON_LETTERS.find, piece)))[:1]
    yield from (frozenset({each}) for each in cut)


def _of_any(branches: Sequence[Any]) -> frozenset[str] | None:
    gathered: set[str] = set()
    for branch in branches:
        each = _of(branch)
        if each is None:
            return None
        gathered |= each
    return frozenset(gathered)


def _of_class(members: Sequence[tuple[Any, Any]]) -> frozenset[str] | None:
    if any(op is not _OP.LITERAL for op, _ in members):
        return None
    return frozenset(chr(value) for _, value in members)
