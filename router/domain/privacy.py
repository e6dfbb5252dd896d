"""Numbers and addresses that are nobody else's business: found in words, and masked.

Mobile numbers follow China's numbering plan (11 digits from 13 to 19), identity cards GB 11643
(17 digits and a check character by ISO 7064 MOD 11-2), bank cards ISO/IEC 7812 (a Luhn digit).
A run of digits that only looks long, such as an order number, is left alone.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Private(StrEnum):
    """What kind of private thing was found."""

    PHONE = "phone"
    IDENTITY = "identity"
    CARD = "card"
    ADDRESS = "address"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One private thing: where it stands in the words, and how it is shown masked."""

    kind: Private
    start: int
    end: int
    masked: str


_PHONE = re.compile(
    r"(?<![\d*])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\d*])"
    r"|(?<![\d*+])\+[1-9]\d{0,2}[- ]?(?:\d[- ]?){6,11}\d(?!\d)"
)
_IDENTITY = re.compile(
    r"(?<![\dA-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"(?![\dA-Za-z])"
)
_CARD = re.compile(r"(?<!\d)(?:62|[45]\d|3[47])\d{2}(?:[ -]?\d){11,15}(?!\d)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")
_STREET_ZH = re.compile(
    r"[一-鿿]{1,12}(?:路|街|大道|巷|弄|胡同|小区|花园|苑|村)[一-鿿A-Za-z0-9\-]{0,16}?"
    r"\s?\d{1,5}\s?(?:号|弄)[^,，。;；\n]{0,12}?\d{1,5}\s?(?:室|楼|层|栋|幢|单元|号楼)\d{0,5}室?"
)
_STREET_EN = re.compile(
    r"\b\d{1,5}[A-Za-z]?\s(?:[A-Z][A-Za-z'.]{1,20}\s){1,4}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct)\b\.?"
    r"(?:,?\s(?:Apt|Apartment|Unit|Suite|Flat|Room|Floor)\.?\s?[A-Za-z0-9-]{1,6})?"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CARD_DIGITS = range(15, 20)
_NINE = 9


def find(text: str) -> tuple[Found, ...]:
    """Return the private things in ``text``, in order; none overlaps another."""
    found: list[Found] = []
    for kind, pattern, holds, mask in _KINDS:
        for match in pattern.finditer(text):
            taken = any(match.start() < each.end and each.start < match.end() for each in found)
            if not taken and holds(match[0]):
                found.append(
                    Found(kind=kind, start=match.start(), end=match.end(), masked=mask(match[0]))
                )
    return tuple(sorted(found, key=lambda each: each.start))


def mask(text: str) -> str:
    """Return ``text`` with every private thing masked."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for each in find(text):
        yield text[at : each.start]
        yield each.masked
        at = each.end
    yield text[at:]


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


def _is_identity(text: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == text[-1].upper()


def _is_card(text: str) -> bool:
    digits = _digits(text)
    if len(digits) not in _CARD_DIGITS:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - _NINE if value > _NINE else value
    return total % 10 == 0


def _always(_text: str) -> bool:
    return True


def _mask_phone(text: str) -> str:
    digits = _digits(text)
    local = digits[-11:]
    return f"{local[:3]}****{local[-4:]}"


def _mask_identity(text: str) -> str:
    return f"{text[:3]}{'*' * 11}{text[-4:]}"


def _mask_card(text: str) -> str:
    return f"**** {_digits(text)[-4:]}"


def _mask_address(text: str) -> str:
    end = re.search(r"路|街|大道|巷|弄|胡同|小区|花园|苑|村", text)
    return f"{text[: end.end()]}***" if end else "***"


def _mask_email(text: str) -> str:
    name, _, host = text.partition("@")
    return f"{name[0]}***@{host}"


_Holds = Callable[[str], bool]
_Masks = Callable[[str], str]
_KINDS: tuple[tuple[Private, re.Pattern[str], _Holds, _Masks], ...] = (
    (Private.IDENTITY, _IDENTITY, _is_identity, _mask_identity),
    (Private.CARD, _CARD, _is_card, _mask_card),
    (Private.PHONE, _PHONE, _always, _mask_phone),
    (Private.EMAIL, _EMAIL, _always, _mask_email),
    (Private.ADDRESS, _STREET_ZH, _always, _mask_address),
    (Private.ADDRESS, _STREET_EN, _always, _mask_address),
)
