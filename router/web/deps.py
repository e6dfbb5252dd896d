"""What the web room is given: ports and values, made once in the daemon."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from aiohttp import web

from router.channel.accounts import Account
from router.channel.contract import Call, Capabilities, Family
from router.domain.article import Publication
from router.domain.contradiction import Near
from router.domain.errors import Invalid
from router.domain.ids import AccountName, ProductId
from router.domain.knowledge import Candidate
from router.domain.policy import ShopPolicy
from router.domain.product import Product
from router.service.accept import Intake
from router.service.enclosed import MOST_MEDIA
from router.service.plans import Plans
from router.service.ports import Clock, Ids, Store
from router.web.metrics import Metrics


class Listens(Protocol):
    """A store that says what each commit logged."""

    def listen(self, listener: Callable[[Any], None]) -> None: ...


class Knows(Protocol):
    """Finds articles for a question, by what is published now."""

    def best(
        self, question: str, *, language: str, limit: int = 3, channel: str = "", account: str = ""
    ) -> tuple[Candidate, ...]: ...

    async def find(
        self, question: str, *, language: str, limit: int = 3, channel: str = "", account: str = ""
    ) -> tuple[Candidate, ...]: ...

    def published(self) -> Mapping[str, Publication]: ...

    def products(self) -> Mapping[ProductId, Product]: ...


class ReaderState(Protocol):
    """How the readers of messages are."""

    @property
    def readers(self) -> Mapping[str, int]:
        """Return how many processes read by each reader (name and version) now."""

    @property
    def restarts(self) -> int:
        """Return how often a process had to be started again."""

    def warnings(self) -> Mapping[str, str]:
        """Return what is not as it should be, by a stable name; empty if all is well."""


class InsideTheDaemon:
    """No processes: the daemon itself reads, by rules."""

    readers: Mapping[str, int] = MappingProxyType({})
    restarts = 0

    def warnings(self) -> Mapping[str, str]:
        """Return nothing: it was wanted so."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How the web room stands in the world.

    ``public_url`` is the address that platforms and browsers use, without a trailing slash;
    ``cookie_key`` is a Fernet key; sizes are in bytes; pages show times in ``timezone``.
    """

    public_url: str
    cookie_key: bytes
    media: Path
    secure_cookies: bool
    most_body: int = 10 * 1024 * 1024
    most_media: int = MOST_MEDIA
    demo: bool = False
    timezone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMember:
    """An invented person of the demo shop, with a token that the shop would have signed."""

    name: str
    token: str


def no_members() -> tuple[DemoMember, ...]:
    """Return nobody: only a demonstration has invented members."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Everything that a handler may use."""

    store: Store
    listens: Listens
    clock: Clock
    ids: Ids
    policy: ShopPolicy
    accounts: Mapping[AccountName, Account]
    intake: Intake
    knows: Knows
    #: how alike texts are, for grouping questions and finding contradictions.
    near: Near
    readers: ReaderState = field(default_factory=InsideTheDaemon)
    settings: WebSettings
    plans: Plans
    #: name → check; each returns None when well, or what is wrong.
    health: Mapping[str, Callable[[], Awaitable[str | None]]] = field(default_factory=dict)
    version: str = ""
    #: takes the calls that an adapter wants made once what it decoded is committed.
    after: Callable[[AccountName, tuple[Call, ...]], None]
    #: the demo shop's people; asked for each page, because their tokens expire.
    demo_members: Callable[[], tuple[DemoMember, ...]] = no_members
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def weights(self) -> Mapping[AccountName, float]:
        """Return the share of an agent's capacity that a conversation on each account takes."""
        weight = self.policy.routing.family_weight
        return {name: weight[held.channel.family] for name, held in self.accounts.items()}

    @property
    def capabilities(self) -> Mapping[AccountName, Capabilities]:
        """Return what each account's channel can carry."""
        return {name: held.channel.capabilities for name, held in self.accounts.items()}

    @property
    def families(self) -> Mapping[AccountName, Family]:
        """Return which kind of channel each account is on."""
        return {name: held.channel.family for name, held in self.accounts.items()}

    def able(self, account: AccountName) -> Capabilities:
        """Return what an account can carry; one that is no longer configured takes no replies."""
        held = self.accounts.get(account)
        return held.channel.capabilities if held else Capabilities(replies=False)

    def check_shop(self, shop: str | None) -> None:
        """Raise `Invalid` if a case cannot concern this shop: it is no account, and not unknown."""
        if shop and shop not in self.accounts:
            known = ", ".join(sorted(self.accounts))
            raise Invalid(f"shop: {shop[:40]!r} is not one of {known}")


#: Where an application keeps what it was built with: ``request.app[DEPS]``.
DEPS = web.AppKey("DEPS", Deps)
