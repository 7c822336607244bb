"""The address that Concert answers at: had before anything is opened, or refused with a sentence."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shared.settings import Settings


class CannotListen(Exception):
    """The address that was set cannot be had; the message says why, and which setting to change."""

    def __init__(self, host: str, port: int, fault: OSError) -> None:
        self.taken = fault.errno == errno.EADDRINUSE
        if self.taken:
            message = f"Another program listens at {host}:{port}: end it, or set CONCERT_PORT to another port."
        elif isinstance(fault, socket.gaierror) or fault.errno == errno.EADDRNOTAVAIL:
            message = f"{host} is no address of this machine: set CONCERT_HOST to one that is, such as 127.0.0.1."
        else:
            why = os.strerror(fault.errno) if fault.errno else str(fault)
            message = f"{host}:{port} cannot be listened at ({why}): set CONCERT_PORT or CONCERT_HOST to another."
        super().__init__(message)


@contextmanager
def claimed(settings: Settings) -> Iterator[list[socket.socket]]:
    """The address that was set, kept from others; nobody is let in before a server listens. Raises CannotListen."""
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            sockets = [stack.enter_context(_bound(*each)) for each in dict.fromkeys(found)]
        except OSError as fault:
            raise CannotListen(settings.host, settings.port, fault) from None
        yield sockets


def _bound(
    family: socket.AddressFamily, kind: socket.SocketKind, protocol: int, _: str, address: tuple[object, ...]
) -> socket.socket:
    # Where the protocol is not named, asyncio does not have small answers sent at once.
    made = socket.socket(family, kind, protocol)
    try:
        # A program that has just ended does not keep its address.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
