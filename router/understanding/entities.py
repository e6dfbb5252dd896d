"""Order numbers, phones, e-mail addresses and tracking numbers in a message."""

import re
from collections.abc import Iterator

import phonenumbers

from router.domain.reading import Entity, EntityKind

_EMAIL = re.compile(
    r"(?<![\w.+-])([A-Za-z0-9][A-Za-z0-9._%+-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24})",
    re.ASCII,
)
_SPELT_EMAIL = re.compile(
    r"\b([a-z0-9_]{1,30}(?: dot [a-z0-9_]{1,30}){0,3}) at "
    r"([a-z0-9-]{1,30}(?: dot [a-z0-9-]{2,24}){1,3})\b",
    re.ASCII | re.IGNORECASE,
)
_TRACKING = re.compile(
    r"(?<![A-Za-z0-9])(?:1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2}"
    r"|(?:SF|YT|JT|ZTO|STO|JDVA|JDVB|JDVC|JDV|JDX|JDAZ|JD|DPK|EMS|HT|BEST|UC|JYM|KY)[A-Z]{0,2}\d{9,15})"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_CARRIER_LABEL = re.compile(
    r"(?:快递单号?|运单号?|物流单号?|快递号|运单|包裹号|中通|圆通|申通|韵达|极兔|百世|德邦|邮政|顺丰|"
    r"dhl|fedex|ups|usps|dpd|evri|royal mail|"
    r"tracking(?: number| no\.?| id)?|waybill|consignment(?: number)?|awb)\s{0,2}"
    r"(?:的|是|为|is|号)?[\s:#,]{0,3}([A-Za-z]{0,4}\d{9,20})(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_BARE_LABEL = re.compile(
    r"(?<![订退])单号\s{0,2}(?:是|为)?[\s:#]{0,3}([A-Za-z]{0,4}\d{9,20})(?!\w)", re.ASCII
)
_CARRIER_NEAR = re.compile(
    r"中通|圆通|申通|韵达|极兔|百世|德邦|邮政|顺丰|快递|物流|包裹|派|签收|寄"
)
_ORDER_WORDS = (
    r"(?:订单(?:编号|号码|号|id)?|单子|"
    r"(?<![A-Za-z])(?:orders?(?: number| no\.?| nr\.?| num| id| ref(?:erence)?)?|"
    r"purchase(?: number)?|po(?: number)?))"
)
_ORDER_LABEL = re.compile(
    rf"{_ORDER_WORDS}\s{{0,2}}(?:是|为|is|was|are|号|:|#|,)?[\s:#№]{{0,3}}"
    r"((?:[A-Za-z]{1,5}-?)?\d[\dA-Za-z]{0,24}(?:-[\dA-Za-z]{1,20}){0,3})(?![A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)
_ORDER_SHAPE = re.compile(
    r"(?<![A-Za-z0-9-])(?:(?:ORD|SO|PO|TB|TM|DD|WX|XHS|UK|US|EU|ORDER)-?\d{4,20}(?:-\d{2,20}){0,2}|#\d{5,20})"
    r"(?![A-Za-z0-9])",
    re.ASCII,
)
_PHONE = re.compile(
    r"(?<![\w.#-])(?:\(?\+\d{1,3}\)?|00\d{1,3}(?=[\s-]))?[\s-]?\(?\d{2,4}\)?(?:[\s-]?\d{2,4}){1,4}(?![\w])",
    re.ASCII,
)
_DAY = re.compile(r"20\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\b")
_NOT_PHONE_BEFORE = re.compile(
    r"(?:编号|型号|卡号?|银行卡|身份证|后四位|尾号|取件码|券码|验证码|时间|单价|尺寸|价格|单号|订单号?|单子|"
    r"order(?: number| no\.?)?|tracking(?: number)?|code|card|invoice|sku|model|ref)"
    r"\s{0,2}(?:是|is)?[\s:#]{0,3}$",
    re.IGNORECASE,
)
_PHONE_WORDS = re.compile(
    r"电话|手机|号码|座机|联系|打给|拨打|热线|"
    r"call|phone|mobile|cell|reach|text me|ring|tel\b|whatsapp",
    re.IGNORECASE,
)
_MAINLAND = re.compile(r"1[3-9]\d{9}")
_SERVICE = re.compile(r"[48]00\d{7}")
_FIXED = re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}")
_MAY_HOLD_ONE = re.compile(r"[\d@]| at ", re.IGNORECASE)
_AMERICAN = re.compile(r"\(\d{3}\)[\s-]?\d{3}[\s-]?\d{4}|\d{3}-\d{3}-\d{4}", re.ASCII)
_MIN_DIGITS = 7
_MAX_DIGITS = 15
_LOOK_BACK = 24


def entities_in(text: str) -> tuple[Entity, ...]:
    """Return what was found, in order of the text, each once.

    ``text`` is in NFKC with its case kept (see ``text.printable``). Phones come back in E.164
    where the country is clear: written out with "+", or a mainland Chinese number.
    """
    if _MAY_HOLD_ONE.search(text) is None:
        return ()
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, Entity]] = []
    for source in (_emails, _trackings, _orders, _phones):
        for start, end, entity in source(text):
            if not any(start < right and left < end for left, right in taken):
                taken.append((start, end))
                found.append((start, entity))
    found.sort(key=lambda each: each[0])
    return tuple(dict.fromkeys(entity for _, entity in found))


def _emails(text: str) -> Iterator[tuple[int, int, Entity]]:
    for match in _EMAIL.finditer(text):
        yield *match.span(), Entity(kind=EntityKind.EMAIL, value=match.group().lower())
    for match in _SPELT_EMAIL.finditer(text):
        name, domain = (part.lower().replace(" dot ", ".") for part in match.groups())
        yield *match.span(), Entity(kind=EntityKind.EMAIL, value=f"{name}@{domain}")


def _trackings(text: str) -> Iterator[tuple[int, int, Entity]]:
    for match in _TRACKING.finditer(text):
        if not _ORDER_BEFORE.search(text[max(0, match.start() - _LOOK_BACK) : match.start()]):
            yield *match.span(), Entity(kind=EntityKind.TRACKING, value=match.group().upper())
    for match in _CARRIER_LABEL.finditer(text):
        yield *match.span(1), Entity(kind=EntityKind.TRACKING, value=match.group(1).upper())
    for match in _BARE_LABEL.finditer(text):
        if _CARRIER_NEAR.search(text):
            yield *match.span(1), Entity(kind=EntityKind.TRACKING, value=match.group(1).upper())


_ORDER_BEFORE = re.compile(rf"{_ORDER_WORDS}\s{{0,2}}(?:是|is)?[\s:#]{{0,3}}$", re.IGNORECASE)


def _orders(text: str) -> Iterator[tuple[int, int, Entity]]:
    for match in _ORDER_LABEL.finditer(text):
        value = match.group(1)
        if _looks_like_an_order(value):
            yield *match.span(1), Entity(kind=EntityKind.ORDER, value=value.upper())
    for match in _ORDER_SHAPE.finditer(text):
        yield *match.span(), Entity(kind=EntityKind.ORDER, value=match.group().lstrip("#"))


def _looks_like_an_order(value: str) -> bool:
    digits = sum(each.isdigit() for each in value)
    return digits >= 4 and not _MAINLAND.fullmatch(value)  # noqa: PLR2004 - a year is the shortest


def _phones(text: str) -> Iterator[tuple[int, int, Entity]]:
    for match in _PHONE.finditer(text):
        written = match.group()
        digits = re.sub(r"\D", "", written)
        if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
            continue
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        number = _e164(written, digits, context=text, before=before)
        if number is not None:
            yield *match.span(), Entity(kind=EntityKind.PHONE, value=number)


def _e164(written: str, digits: str, *, context: str, before: str) -> str | None:
    """Return the number in E.164, or None if it is not clearly a phone number."""
    if "+" in written:
        region = None
        digits = f"+{digits}"
    elif _NOT_PHONE_BEFORE.search(before) or _DAY.match(digits):
        return None
    elif _MAINLAND.fullmatch(digits) or _SERVICE.fullmatch(digits) or _FIXED.fullmatch(digits):
        region = "CN"
    elif _AMERICAN.fullmatch(written.strip()) and _PHONE_WORDS.search(context):
        region = "US"
    else:
        return None
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
