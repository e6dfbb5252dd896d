"""Who speaks in a cue: by its voice or leading name, the participants and the lists of names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.transcript.settings import Settings
from adapters.transcript.wire import Cue, Participant
from router.channel.contract import Speaker

# A label is a short name before a colon, or in brackets. "10:30" and "http://" are none.
_LABEL = re.compile(
    r"^(?:\[([^\[\]\n]{1,40})\]\s*[:：]?|([^\s:：，。！？,.!?\d][^:：，。！？!?\n]{0,39})[:：](?!//|\d))\s*"
)
_COUNTER = re.compile(r"[\s#._-]*\d+\s*号?$")


@dataclass(frozen=True, slots=True)
class Speakers:
    """Names and what they mean."""

    known: Mapping[str, Speaker]

    def role(self, name: str) -> Speaker:
        """Return who ``name`` is; unknown if no list or participant says."""
        key = name.strip().casefold()
        return self.known.get(key) or self.known.get(_COUNTER.sub("", key)) or Speaker.UNKNOWN

    def knows(self, name: str) -> bool:
        """Return whether a list or a participant names ``name``."""
        return self.role(name) is not Speaker.UNKNOWN


def speakers(settings: Settings, participants: Sequence[Participant]) -> Speakers:
    """Return what names mean; the call's own participants come before the configured lists."""
    lists = (
        (Speaker.AGENT, settings.agent_names),
        (Speaker.CONTACT, settings.customer_names),
        (Speaker.BOT, settings.bot_names),
        (Speaker.SYSTEM, settings.system_names),
    )
    known = {name.casefold(): role for role, names in lists for name in names}
    for one in participants:
        for name in (one.id, one.name):
            if name:
                known[name.casefold()] = role_of(one.role)
    return Speakers(known)


def role_of(word: str) -> Speaker:
    """Return the contract's word for a role of ``pam.transcript/1``."""
    return Speaker.CONTACT if word == "customer" else Speaker(word)


def labelled(cues: Sequence[Cue], names: Speakers) -> tuple[Cue, ...]:
    """Return the cues with a leading ``Name:`` or ``[Name]`` taken as the voice.

    A known name is taken off the text. Another is taken off only where the file names a speaker
    in every cue, more than one in all; else "投诉：…" would lose its first word.
    """
    labels = [None if cue.voice else _LABEL.match(cue.text) for cue in cues]
    named = {cue.voice or _name(label) for cue, label in zip(cues, labels, strict=True)}
    everywhere = "" not in named and len(named) > 1
    return tuple(
        _split(cue, label, taken=everywhere or names.knows(_name(label)))
        for cue, label in zip(cues, labels, strict=True)
    )


def _name(label: re.Match[str] | None) -> str:
    return "" if label is None else (label[1] or label[2]).strip()


def _split(cue: Cue, label: re.Match[str] | None, *, taken: bool) -> Cue:
    if label is None or not taken:
        return cue
    rest = cue.text[label.end() :]
    return replace(cue, voice=_name(label), text=rest) if rest else cue
