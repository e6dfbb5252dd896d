"""The words of a mail: out of HTML, and without what it only quotes."""

import re
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "head", "title", "template"})
_LINES = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote"})
_QUOTED = re.compile(r"^\s*>")
_INTRODUCES = re.compile(
    r"(?:wrote|写道|schrieb|a écrit|escribió)\s*[:：]\s*$|^-{2,}\s*(?:Original Message|原始邮件|"
    r"Original-Nachricht)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_BELOW = re.compile(r"^\s*-{2,}\s*(?:Original Message|原始邮件)\s*-{2,}\s*$", re.IGNORECASE)
_MOST_WRAPPED = 3


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0
        self.quote = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in _SILENT
        if tag in _LINES:
            self.parts.append("\n")
        if tag == "blockquote":
            self.quote += 1

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT and self.silent > 0
        if tag in _LINES:
            self.parts.append("\n")
        if tag == "blockquote" and self.quote:
            self.quote -= 1

    def handle_data(self, data: str) -> None:
        if not self.silent:
            flat = re.sub(r"[ \t\r\n\xa0]+", " ", data)
            self.parts.append(f"> {flat}" if self.quote and flat.strip() else flat)


def from_html(markup: str) -> str:
    """Return the words of HTML; a quotation's lines begin with ``>``."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def unquoted(text: str) -> str:
    """Return ``text`` without the quotation at its end; answers between quoted lines stay.

    A mail that is nothing but quotation is returned whole.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    below = next((at for at, line in enumerate(lines) if _BELOW.match(line)), len(lines))
    end = below
    while end and (not lines[end - 1].strip() or _QUOTED.match(lines[end - 1])):
        end -= 1
    if end < below and any(_QUOTED.match(line) for line in lines[end:below]):
        end = _without_introduction(lines, end)
    rest = "\n".join(lines[:end]).strip()
    return rest or text.strip()


def _without_introduction(lines: list[str], end: int) -> int:
    """Step over "On Monday, the shop wrote:", which a client may have wrapped."""
    if end and _INTRODUCES.search(lines[end - 1]):
        start = end - 1
        for back in range(start - 1, max(start - _MOST_WRAPPED, -1), -1):
            if not lines[back].strip():
                return back
        return start
    return end
