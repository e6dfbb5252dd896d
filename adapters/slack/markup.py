"""Slack's own writing to plain words and back.

https://docs.slack.dev/messaging/formatting-message-text/
"""

import re

_SPECIAL = re.compile(r"<([^<>]*)>")


def plain(text: str) -> str:
    """Return ``text`` with links, mentions and escapes as people would write them."""
    written = _SPECIAL.sub(lambda found: _said(found[1]), text)
    return written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    """Return ``text`` so that Slack shows it as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _said(inside: str) -> str:
    """Return what stands between angle brackets: a person, a channel, a group, a date, a link."""
    target, _, label = inside.partition("|")
    if target.startswith(("@", "#")):
        return target[:1] + label if label else target
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    address = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (target, address):
        return address
    return f"{label} ({address})"
