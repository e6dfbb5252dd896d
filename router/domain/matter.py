"""What a conversation or a case is about, and whether two of them are about the same."""

from dataclasses import dataclass

from router.domain.reading import Intent

#: Topics that say nothing about the matter.
SILENT = frozenset(
    {
        "",
        Intent.COMPLAINT.value,
        Intent.HUMAN_REQUEST.value,
        Intent.CHITCHAT.value,
        Intent.OTHER.value,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """A topic and the numbers of the orders that were named."""

    topic: str
    orders: frozenset[str] = frozenset()


def same_matter(one: Matter, other: Matter) -> bool | None:
    """Return whether both are about the same; None if what was said does not tell.

    Orders decide where both name some; else the topics do, where both have one.
    """
    if one.orders and other.orders:
        return bool(one.orders & other.orders)
    if one.topic in SILENT or other.topic in SILENT:
        return None
    return one.topic == other.topic
