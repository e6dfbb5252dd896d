"""What queues, skills and channels are called on the pages; all other words are `phrases`."""

from collections.abc import Mapping
from dataclasses import dataclass

from router.channel.contract import Channel
from router.domain.policy import ShopPolicy
from router.domain.workforce import Need

#: The families that have an icon of their own; others have the globe.
ICONS = frozenset({"im", "social", "webchat", "voice", "email", "sms", "shop"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Titles:
    """The shop's own names for one reader.

    A name that the configuration no longer knows (a removed skill, a former channel) is shown as
    it is stored.
    """

    lang: str
    policy: ShopPolicy
    channels: Mapping[str, Channel]

    def queue(self, name: str) -> str:
        """Return a queue's title."""
        known = {str(queue.name): queue.title for queue in self.policy.queues.values()}
        return self._title(known.get(name), name)

    def skill(self, name: str) -> str:
        """Return a skill's title."""
        return self._title(self.policy.skills.get(name), name)

    def need(self, need: Need) -> str:
        """Return a need as words: a skill and the least level."""
        return f"{self.skill(need.skill)} ≥{need.least}"

    def channel(self, name: str) -> str:
        """Return a channel's title."""
        known = self.channels.get(name)
        return self._title(known.title if known else None, name)

    def icon(self, channel: str) -> str:
        """Return the icon of a channel's family."""
        known = self.channels.get(channel)
        family = str(known.family) if known else ""
        return family if family in ICONS else "globe"

    def subject(self, key: str, topic: str) -> str:
        """Return what a crisis is about: a product's title, or the ``topic`` in words."""
        kind, _colon, name = key.partition(":")
        known = self.policy.crisis.products.get(name) if kind == "product" else None
        if kind == "topic":
            return topic
        return self._title(known.title if known else None, name)

    def shop(self) -> str:
        """Return the shop's name."""
        return self._title(self.policy.shop, "Mainstem")

    def _title(self, titles: Mapping[str, str] | None, name: str) -> str:
        given = titles or {}
        return given.get(self.lang) or given.get("en") or name
