"""What goes out with many calls: a bearer token, and lengths counted in UTF-16."""

from dataclasses import replace

from router.channel.contract import HttpCall


def bearer(call: HttpCall, token: str) -> HttpCall:
    """Return ``call`` with an ``Authorization`` header."""
    return replace(call, headers=(*call.headers, ("authorization", f"Bearer {token}")))


def utf16_units(text: str) -> int:
    """Return the length of ``text`` as LINE and Telegram count it: most emoji are two."""
    return len(text.encode("utf-16-le", "replace")) // 2
