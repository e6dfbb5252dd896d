"""SubRip to cues: numbers are optional, blank lines inside a cue stay part of it."""

import re

from adapters.transcript.cuetext import ARROW, joined, lines_of, timing, without_tags
from adapters.transcript.wire import Cue, Cues

_OVERRIDE = re.compile(r"\{\\[^{}]*\}")


def is_srt(text: str) -> bool:
    """Return whether ``text`` has the timing line of a cue."""
    return any(ARROW in line and timing(line) is not None for line in lines_of(text))


def parse(text: str) -> Cues:
    """Return the cues of a SubRip file; ValueError if there is none."""
    lines = lines_of(text)
    found = [(number, timing(line)) for number, line in enumerate(lines) if ARROW in line]
    timed = [(number, times) for number, times in found if times is not None]
    if not timed:
        raise ValueError("no line such as 00:00:00,500 --> 00:00:02,100 was found")
    cues: list[Cue] = []
    ends = [_numbered(lines, number) for number, _ in timed[1:]] + [len(lines)]
    for (number, (begin, end)), last in zip(timed, ends, strict=True):
        words = joined(without_tags(_OVERRIDE.sub("", "\n".join(lines[number + 1 : last]))))
        if words:
            cues.append(Cue(begin=begin, end=end, text=words))
    unread = len(found) - len(timed)
    warnings = (f"{unread} timing lines cannot be read; kept as text",) if unread else ()
    return Cues(cues=tuple(cues), warnings=warnings)


def _numbered(lines: list[str], at: int) -> int:
    """Return where the cue whose timing line is ``at`` begins: its number, if it has one."""
    before = at - 1
    has_number = before > 0 and lines[before].strip().isdecimal() and not lines[before - 1].strip()
    return before if has_number else at
