"""Phone numbers as people and carriers write them, to E.164; nothing is guessed beyond a region."""

import phonenumbers


def e164(raw: str, region: str) -> str:
    """Return ``raw`` as E.164, or "" if it is no possible number.

    ``region`` (ISO 3166-1, such as CN) is where a number without a country code is taken to be.
    """
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
