"""Puts the transport room together for the daemon: the sessions, the sender, and the chores."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypedDict

from router.channel.accounts import Account
from router.channel.connection import Dials, Holds, OverBroker
from router.channel.contract import Publish, Push, Reply
from router.domain.events import Logged
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.service.accept import Intake
from router.service.ports import Clock, Ids, Store
from router.service.pressure import Pressure
from router.transport import media, profiles
from router.transport.afterwards import Afterwards
from router.transport.asker import Asker
from router.transport.carrier import Carrier, PushPort
from router.transport.duty import Duty, Wakes, Work
from router.transport.http import NotSent, open_http
from router.transport.inapp import Line
from router.transport.links import open_links
from router.transport.mail import Mails
from router.transport.media import MediaFetcher
from router.transport.profiles import Profiles
from router.transport.pulls import Puller
from router.transport.sender import Sender, make_sender
from router.transport.settings import TransportSettings
from router.transport.sockets import Socket
from router.transport.streams import Stream
from router.transport.taking import Taking
from router.transport.tokens import Tokens


@dataclass(slots=True)
class LatePush:
    """The way to the sockets of web chat, which stands only once the web room is built."""

    port: PushPort | None = None

    async def __call__(self, account: AccountName, call: Push) -> Reply:
        """Push a frame; 503 as long as there are no sockets."""
        if self.port is None:
            return Reply(status=503, body=b"")
        return await self.port(account, call)


@dataclass(slots=True)
class Lines:
    """The accounts' lines to their brokers, which stand once everything else is built."""

    by_account: dict[AccountName, Line] = field(default_factory=dict)

    async def __call__(self, account: AccountName, call: Publish) -> Reply:
        """Publish on an account's own broker; raises NotSent if it has none here."""
        line = self.by_account.get(account)
        if line is None:
            raise NotSent("no broker is configured for this account")
        return await line.publish(call)


@dataclass(slots=True, kw_only=True)
class Transport:
    """The room as it stands: who sends, how frames reach our sockets, and what else is done.

    The sender, every duty, line, stream and ``afterwards`` are tasks that the daemon owns; `heard`
    is to be told of what is committed.
    """

    sender: Sender
    push: LatePush
    afterwards: Afterwards
    duties: Mapping[str, Duty]
    profiles: Profiles
    lines: Mapping[AccountName, Line]
    streams: Mapping[AccountName, Stream | Socket]

    def heard(self, events: Sequence[Logged]) -> None:
        """Listen to what was committed, here or elsewhere."""
        self.sender.heard(events)
        self.profiles.heard(events)
        for duty in self.duties.values():
            duty.heard(events)


class _Around(TypedDict):
    """What every chore works with."""

    store: Store
    accounts: Mapping[AccountName, Account]
    asker: Asker
    clock: Clock
    ids: Ids
    settings: TransportSettings


@asynccontextmanager
async def open_transport(
    *,
    store: Store,
    accounts: Mapping[AccountName, Account],
    clock: Clock,
    ids: Ids,
    name: str,
    settings: TransportSettings,
    policy: ShopPolicy,
    intake: Intake | None = None,
    pressure: Pressure | None = None,
) -> AsyncIterator[Transport]:
    """Open the HTTP sessions and build what uses them, until the end of the block.

    Lines to brokers and streams stand if there is an ``intake`` to take in what comes over them.
    """
    async with open_http(settings) as http, open_links(settings) as links:
        tokens = Tokens(store=store, http=http, clock=clock, name=name, settings=settings)
        asker = Asker(http=http, tokens=tokens, clock=clock, ids=ids)
        push, lines, mails = LatePush(), Lines(), Mails(settings)
        streams: dict[AccountName, Stream | Socket] = {}
        around = _Around(
            store=store,
            accounts=accounts,
            asker=asker,
            clock=clock,
            ids=ids,
            settings=settings,
        )
        sender = make_sender(
            **around,
            http=http,
            tokens=tokens,
            name=name,
            push=push,
            publish=lines,
            mail=mails.carry,
        )
        people = Profiles(**around, policy=policy)
        works: dict[str, tuple[Work, Wakes, Pressure | None]] = {
            "media": (MediaFetcher(**around, links=links).work, media.wakes, pressure),
            "pull": (Puller(**around, policy=policy).work, _rung, None),  # it takes in as well
            "profiles": (people.work, profiles.wakes, pressure),
        }
        carrier = Carrier(http=http, push=push, publish=lines, mail=mails.carry)
        afterwards = Afterwards(accounts=accounts, asker=asker, carrier=carrier)
        if intake is not None:
            for account, taking in _takings(around, intake, afterwards):
                if isinstance(taking.account.adapter, OverBroker):
                    lines.by_account[account] = Line(taking, name=name, settings=settings)
                if isinstance(taking.account.adapter, Dials) and taking.account.adapter.dials:
                    streams[account] = Stream(taking, http=http, name=name, settings=settings)
                if isinstance(taking.account.adapter, Holds) and taking.account.adapter.holds:
                    streams[account] = Socket(
                        taking, taking.account.adapter, name=name, settings=settings
                    )
        yield Transport(
            sender=sender,
            push=push,
            afterwards=afterwards,
            duties={
                duty: _duty(duty, *work, around=around, daemon=name) for duty, work in works.items()
            },
            profiles=people,
            lines=lines.by_account,
            streams=streams,
        )


def _takings(
    around: _Around, intake: Intake, afterwards: Afterwards
) -> Iterator[tuple[AccountName, Taking]]:
    """Yield what takes in for each account."""
    for name, account in around["accounts"].items():
        yield (
            name,
            Taking(
                account=account,
                intake=intake,
                store=around["store"],
                after=afterwards.after,
                clock=around["clock"],
                ids=around["ids"],
            ),
        )


def _duty(
    name: str,
    work: Work,
    wakes: Wakes,
    pressure: Pressure | None,
    *,
    around: _Around,
    daemon: str,
) -> Duty:
    """Return a duty whose holder, if it dies, is replaced soon."""
    poll = around["settings"].poll
    return Duty(
        name,
        work,
        store=around["store"],
        clock=around["clock"],
        holder=daemon,
        wakes=wakes,
        poll=poll,
        lasts=2 * poll,
        pressure=pressure,
    )


def _rung(logged: Logged) -> bool:
    return logged.event.kind == "bell_rung"
