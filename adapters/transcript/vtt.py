"""WebVTT to cues, as https://www.w3.org/TR/webvtt1/#parsing says (read 2025-10), but lossless.

Where the standard drops a cue (a time that cannot be read), its words are kept and a warning is
given: they may be a complaint.
"""

import html
import re

from adapters.transcript.cuetext import ARROW, joined, lines_of, timing, without_tags
from adapters.transcript.wire import Cue, Cues

_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]*)>|(</v>)")
_CALL_ID = re.compile(r"^NOTE[ \t]+call-id:[ \t]*(\S{1,128})[ \t]*$", re.IGNORECASE)
_SILENT = ("NOTE", "STYLE", "REGION")


def is_vtt(text: str) -> bool:
    """Return whether ``text`` has the first line of a WebVTT file."""
    return re.match(r"\ufeff?WEBVTT(?:[ \t\r\n]|$)", text) is not None


def parse(text: str) -> Cues:
    """Return the cues of a WebVTT file; ValueError if it is none."""
    if not is_vtt(text):
        raise ValueError("the first line of a WebVTT file must be WEBVTT")
    cues: list[Cue] = []
    warnings: list[str] = []
    call_id = ""
    for block in _blocks(lines_of(text)[1:]):
        if named := _CALL_ID.match(block[0]):
            call_id = call_id or named[1]
        at = next((number for number, line in enumerate(block[:2]) if ARROW in line), None)
        if at is None:
            if not block[0].startswith(_SILENT) and cues:
                warnings.append(f"text outside a cue was passed over: {block[0][:40]!r}")
            continue
        times = timing(block[at])
        if times is None:
            warnings.append(
                f"times cannot be read: {block[at][:40]!r}; placed after the one before"
            )
        begin, end = times or ((cues[-1].end, cues[-1].end) if cues else (0, 0))
        key = block[0].strip() if at else ""
        cues.extend(_voices("\n".join(block[at + 1 :]), key, begin, end))
    return Cues(cues=tuple(cues), warnings=tuple(warnings), call_id=call_id)


def _blocks(lines: list[str]) -> list[list[str]]:
    """Return runs of lines between blank ones; a second timing line begins a run of its own."""
    blocks: list[list[str]] = []
    block: list[str] = []
    timed = False
    for line in (*lines, ""):
        if not line or (ARROW in line and timed):
            if block:
                blocks.append(block)
            block, timed = [], False
        if line:
            timed = timed or ARROW in line
            block.append(line)
    return blocks


def _voices(payload: str, key: str, begin: int, end: int) -> list[Cue]:
    """Return one cue for each voice in ``payload``; text outside any voice has none."""
    found: list[tuple[str, str]] = []
    voice, at = "", 0
    for tag in _VOICE.finditer(payload):
        found.append((voice, payload[at : tag.start()]))
        voice, at = joined(html.unescape(tag[1] or "")), tag.end()
    found.append((voice, payload[at:]))
    said = [(who, joined(html.unescape(without_tags(words)))) for who, words in found]
    spoken = [(who, words) for who, words in said if words]
    return [
        Cue(
            begin=begin,
            end=end,
            text=words,
            voice=who,
            id=key if number == 1 or not key else f"{key}/{number}",
        )
        for number, (who, words) in enumerate(spoken, 1)
    ]
