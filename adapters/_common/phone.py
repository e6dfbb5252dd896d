"""Phone numbers as people and carriers write them, to E.164; nothing is guessed beyond a region."""

import phonenumbers

#: Words that carriers and Twilio spell on the keypad where a caller hides the number: restricted,
#: blocked, unknown, anonymous, unavailable, private. Taken for numbers, they would make one
#: person of all who hide theirs. (The spelling was checked by the keypad; the list is unverified.)
_HIDDEN = frozenset(
    {"7378742833", "2562533", "8656696", "266696687", "86282452253", "7748283", "464"}
)


def e164(raw: str, region: str) -> str:
    """Return ``raw`` as E.164, or "" if it is hidden or no possible number.

    ``region`` (ISO 3166-1, such as CN) is where a number without a country code is taken to be.
    """
    if raw.strip().lstrip("+") in _HIDDEN:
        return ""
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
