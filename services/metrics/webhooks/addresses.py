"""Where webhooks may be sent: to the public internet, and to nothing that only we can reach.

An address is judged as text when it is given, and by what its host resolves to at every delivery; the connection then
goes to exactly the address that was judged.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from shared.errors import Invalid

LONGEST = 2000
_PUBLIC_V6 = IPv6Network("2000::/3")
# Parts of the public range that lead elsewhere: protocol assignments and Teredo, 6to4, and examples.
_NOT_PUBLIC_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# What some versions of Python call global all the same.
_NOT_PUBLIC_V4 = tuple(
    map(IPv4Network, ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3"))
)
Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotAllowed(Exception):
    """A delivery must not be sent where its address leads; the message says why."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet; an IPv4 address in disguise does not."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in each for each in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in each for each in _NOT_PUBLIC_V6)


def check_url(text: str, private: bool, at: str = "/url") -> str:
    """The address of a webhook as it is kept; raises Invalid for one that can never be sent to."""

    def wrong(detail: str) -> Invalid:
        return Invalid.at(at, detail)

    if len(text) > LONGEST:
        raise wrong(f"an address has at most {LONGEST} characters; this one has {len(text)}")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as fault:
        raise wrong(f"this is not an address ({fault})") from fault
    if url.scheme not in ("https", *(("http",) if private else ())) or not url.host:
        raise wrong('an address begins with "https://" and names a host')
    if url.port is not None and not 0 < url.port < 65536:
        raise wrong(f"{url.port} is not a port")
    if url.userinfo or url.fragment:
        raise wrong("an address has no user, no password and no fragment; deliveries are signed instead")
    try:
        _judge(url, [url.host], private)
    except ValueError:
        pass  # A name: what it resolves to is judged at each delivery.
    except NotAllowed as reason:
        raise wrong(str(reason)) from reason
    return str(url)


async def addresses_of(url: httpx.URL, private: bool, resolve: Resolve) -> list[str]:
    """What the host of an address resolves to, now; raises NotAllowed when any of it is not allowed, OSError when the
    name is not known."""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = list(dict.fromkeys(await resolve(url.host, port)))
    if not found:
        raise NotAllowed("the host has no address")
    try:
        _judge(url, found, private)
    except ValueError as fault:
        raise NotAllowed("the host resolves to something that is no address") from fault
    return found


def _judge(url: httpx.URL, addresses: list[str], private: bool) -> None:
    judged = [ip_address(each) for each in addresses]
    if url.scheme == "http" and not all(each.is_loopback for each in judged):
        raise NotAllowed("only to this machine may be sent without https")
    # One private address among public ones is enough: whoever answers for the name chooses which one is used.
    if not private and not all(map(is_public, judged)):
        raise NotAllowed("the host has an address that is not on the public internet")


async def resolve_host(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver knows for a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]
