"""Fetches a file from an address that a customer's message names: a stranger's word.

Only http and https, no address of this machine or its network, no credential, few redirects.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from router.channel.contract import HttpCall, Reply
from router.transport.http import Http, open_http
from router.transport.settings import TransportSettings

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS = 4


class Forbidden(Exception):
    """The address leads where no customer's file can be."""


class Links:
    """Opens addresses with a session of its own, which holds no platform's connection."""

    def __init__(self, http: Http, *, private: bool) -> None:
        self._http, self._private = http, private

    async def open(self, link: str, *, most: int) -> Reply:
        """Return what is at ``link``, at most ``most`` bytes of it, following redirects.

        Raises `Forbidden`, or `NotSent` and `Doubtful` as `Http.get` does.
        """
        for _ in range(_MOST_HOPS):
            self._check(link)
            reply = await self._http.get(HttpCall(method="GET", url=link), most=most)
            there = reply.headers.get("location", "")
            if reply.status not in _REDIRECTS or not there:
                return reply
            link = urljoin(link, there)
        raise Forbidden("too many redirects")

    def _check(self, link: str) -> None:
        parts = urlsplit(link)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Forbidden("not an http or https address")
        if parts.username or parts.password:
            raise Forbidden("the address holds a credential")
        if not self._private and not is_public(parts.hostname):
            raise Forbidden("the address is of this machine or its network")


def is_public(host: str) -> bool:
    """Return False for an IP address that is not of the open internet; True for names."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return True
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_global and not mapped.is_multicast


class PublicResolver(AbstractResolver):
    """Resolves names, and finds nothing where a name leads into our own network.

    The connection is made to the very addresses that were checked, so that a name which answers
    differently the second time gains nothing.
    """

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of ``host``; raises OSError if it has none."""
        found = await self._inner.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise OSError(None, "the name leads to no public address")
        return public

    async def close(self) -> None:
        await self._inner.close()


@asynccontextmanager
async def open_links(settings: TransportSettings) -> AsyncIterator[Links]:
    """Open the session for strangers' addresses until the end of the block."""
    resolver = None if settings.private_links else PublicResolver()
    async with open_http(settings, resolver=resolver) as http:
        yield Links(http, private=settings.private_links)
