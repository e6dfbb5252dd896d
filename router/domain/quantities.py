"""Times, amounts and shares that a text states, in Chinese and English, so that texts compare."""

import re
from collections.abc import Mapping
from typing import Final

Quantity = tuple[str, float]
"""Kind (hours, working days, months, money, percent, discount, times) and value."""

_DIGITS: Final[Mapping[str, int]] = {
    each: value
    for value, names in enumerate(("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for each in names
}
_NUMBER: Final = r"(\d+(?:[.,]\d+)*|[零〇一二两三四五六七八九十百千半]+)"
#: Unit → kind and how much of it one is.
_UNITS: Final[tuple[tuple[str, str, float], ...]] = (
    (r"个?工作日|(?:working|business)[ -]days?", "working days", 1.0),
    (r"个?小时|hours?|hrs?\b", "hours", 1.0),
    (r"分钟|minutes?|mins?\b", "hours", 1 / 60),
    (r"个?(?:星期|礼拜|周)(?!年|末|边)|weeks?", "hours", 168.0),
    (r"天|日(?!期|常|用)|days?", "hours", 24.0),
    (r"个月|months?", "months", 1.0),
    (r"年|years?", "months", 12.0),
    (r"元|块钱?|圆|yuan|rmb|cny|dollars?|usd", "money", 1.0),
    (r"%|％|percent|per cent", "percent", 1.0),
    (r"折", "discount", 1.0),
    (r"次|times?", "times", 1.0),
)
_AFTER: Final = tuple(
    (re.compile(rf"{_NUMBER}[ -]?(?:{unit})"), kind, worth) for unit, kind, worth in _UNITS
)
_MONEY: Final = re.compile(r"[¥￥$€£] ?(\d+(?:[.,]\d+)*)")
_HUNDRED_OF: Final = re.compile(rf"百分之{_NUMBER}")


def quantities(text: str) -> frozenset[Quantity]:
    """Return what a text states in numbers with a unit; 24 hours and one day are the same."""
    found: set[Quantity] = set()
    rest = text.casefold()
    for match in _HUNDRED_OF.finditer(rest):
        found.add(("percent", _value(match[1])))
    rest = _HUNDRED_OF.sub(" ", rest)
    for match in _MONEY.finditer(rest):
        found.add(("money", _value(match[1])))
    for pattern, kind, worth in _AFTER:
        for match in pattern.finditer(rest):
            found.add((kind, round(_value(match[1]) * worth, 4)))
        rest = pattern.sub(" ", rest)
    return frozenset(found)


def differing(one: str, other: str) -> tuple[tuple[Quantity, Quantity], ...]:
    """Return where two texts state other numbers of the same kind, one pair a kind.

    A kind that only one of them speaks of, or of which they share a number, is no difference.
    """
    mine, theirs = _by_kind(quantities(one)), _by_kind(quantities(other))
    return tuple(
        ((kind, min(mine[kind])), (kind, min(theirs[kind])))
        for kind in sorted(mine.keys() & theirs.keys())
        if not mine[kind] & theirs[kind]
    )


def _by_kind(found: frozenset[Quantity]) -> dict[str, set[float]]:
    held: dict[str, set[float]] = {}
    for kind, value in found:
        held.setdefault(kind, set()).add(value)
    return held


def _value(text: str) -> float:
    if text[0].isascii():
        whole = (
            text.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text) else text
        )
        return float(whole.replace(",", ".", 1).replace(",", "")) if whole.count(".") <= 1 else 0.0
    if text == "半":
        return 0.5
    return float(_chinese(text.replace("半", "")))


def _chinese(text: str) -> int:
    total, digit = 0, 0
    for each in text:
        if each in "十百千":
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[each]
            digit = 0
        else:
            digit = _DIGITS[each]
    return total + digit
