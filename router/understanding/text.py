"""How a message is prepared before it is read: normal form, language, pieces, quotations."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources

PIECE = 4000  # characters read at once; longer texts are read piece by piece
OVERLAP = 120  # characters that neighbouring pieces share, so that no phrase is cut in two

_SURROGATES = re.compile("[\ud800-\udfff]")
_SQUEEZED = re.compile(r"([^\d\s])\1{3,}")
_SPOKEN = re.compile("[零〇一二三四五六七八九幺]{5,}")
_SPOKEN_DIGITS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ÿ]+(?:'[A-Za-z]+)?")
_QUOTED = re.compile('“([^“”]{1,200})”|"([^"]{1,200})"|「([^「」]{1,200})」|『([^『』]{1,200})』')
_OWN_WORDS = re.compile(r"(?:我说|我就说|我问|我回|i\s(?:said|told|say|asked))[^。.!?]{0,12}$")
_CHARS_A_WORD = 1.5  # a Chinese word is about one and a half characters long
_QUOTE_IS_TEXT = 6  # characters: a shorter quotation is a word held up in scorn, not a text


@cache
def _to_simplified() -> dict[int, str]:
    """Return the map from traditional to simplified characters that shop talk needs."""
    listed = resources.files("router.understanding").joinpath("data/simplified.txt")
    pairs = listed.read_text(encoding="utf-8").replace("\n", "")
    table = {ord(pairs[at]): pairs[at + 1] for at in range(0, len(pairs), 2)}
    return {**table, ord("’"): "'", ord("‘"): "'", ord("\ufe0f"): ""}


def pieces(text: str) -> Iterator[str]:
    """Yield ``text`` in overlapping pieces of at most ``PIECE`` characters; never none."""
    start = 0
    while True:
        yield text[start : start + PIECE]
        if start + PIECE >= len(text):
            return
        start += PIECE - OVERLAP


def printable(text: str) -> str:
    """Return ``text`` in NFKC with spoken digit runs written as digits, case and repeats kept.

    Lone surrogates, which a broken client may send, become the replacement character.
    """
    clean = _SURROGATES.sub("\ufffd", text)
    if not clean.isascii():
        clean = unicodedata.normalize("NFKC", clean)
        clean = _SPOKEN.sub(lambda run: run.group().translate(_SPOKEN_DIGITS), clean)
    return clean


def normal(text: str) -> str:
    """Return the form that rules are written for: simplified, lower case, repeats squeezed.

    ``text`` is what ``printable`` returned.
    """
    plain = text if text.isascii() else text.translate(_to_simplified())
    return _SQUEEZED.sub(r"\1\1\1", plain.lower())


def language_of(text: str, *, fallback: str | None) -> str:
    """Return "zh" or "en" by script; numbers and emoji take ``fallback``, and without it "zh"."""
    han = len(_HAN.findall(text))
    words = len(_LATIN_WORD.findall(text))
    if not han and not words:
        return fallback if fallback in {"zh", "en"} else "zh"
    return "zh" if han / _CHARS_A_WORD >= words else "en"


def words_in(text: str) -> float:
    """Return about how many words ``text`` has, a Chinese word being a character and a half."""
    return len(_HAN.findall(text)) / _CHARS_A_WORD + len(_LATIN_WORD.findall(text))


def quoted_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return where ``text`` repeats somebody else's sentence: a page, a policy, an advert.

    A short quotation is scorn ("so much for “quality”") and the customer's own words stay his.
    """
    if not any(mark in text for mark in '“"「『'):
        return ()
    return tuple(
        found.span()
        for found in _QUOTED.finditer(text)
        if found.end() - found.start() - 2 >= _QUOTE_IS_TEXT
        and not _OWN_WORDS.search(text[max(0, found.start() - 24) : found.start()])
    )
