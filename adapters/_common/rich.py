"""One message that holds words and several files, as the contents that it is told in."""

from collections.abc import Sequence
from dataclasses import replace

from router.channel.contract import Received
from router.domain.content import Content, Media, Text


def told(words: str, files: Sequence[Media]) -> tuple[Content, ...]:
    """Return the words alone, or the files with the words as caption of the first."""
    if not files:
        return (Text(text=words),)
    return (replace(files[0], caption=words), *files[1:])


def parts_of(first: Received, more: Sequence[Content]) -> tuple[Received, ...]:
    """Return ``first`` and, each with an id of its own, what else the message holds."""
    others = (
        replace(first, external_id=f"{first.external_id}#{number}", content=content, reply_to="")
        for number, content in enumerate(more, 2)
    )
    return (first, *others)
