"""Sending one delivery over HTTP: to a judged address, without redirects, within a deadline, reading little back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

import certifi
import httpx

from services.metrics.webhooks.addresses import NotAllowed, Resolve, addresses_of, resolve_host
from shared import __version__
from shared.tasks import completed

SECONDS = 15.0
MOST_READ = 64 * 1024
MOST_ADDRESSES = 3
PARALLEL = 8
LONGEST_WAIT = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt: a status, or why there is none."""

    status: int | None
    error: str | None
    seconds: float
    wait: float = 0.0
    """For how many seconds the receiver asks not to be tried again."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has taken the delivery."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """The connections to one receiver. They are not shared: a connection is known by its address, and at the same
    address another host may be meant."""

    def __init__(
        self,
        *,
        private: bool,
        resolve: Resolve = resolve_host,
        trust: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._private = private
        self._resolve = resolve
        self._trust = trust
        self._seconds = seconds
        self._client: httpx.AsyncClient | None = None

    async def send(self, address: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Post a body; never raises for what the receiver or the way to it does."""
        began = time.perf_counter()
        status, error, wait = None, None, 0.0
        try:
            async with asyncio.timeout(self._seconds):
                status, wait = await self._post(httpx.URL(address), headers, body)
            if not 200 <= status < 300:
                error = f"answered {status}" + ("; redirects are not followed" if 300 <= status < 400 else "")
        except TimeoutError:
            error = f"no answer within {self._seconds:g} s"
        except NotAllowed as reason:
            error = f"not allowed: {reason}"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as fault:
            error = f"{type(fault).__name__}: {fault}"[:300]
        return Sent(status, error, round(time.perf_counter() - began, 6), wait)

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await completed(client.aclose())

    async def _post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> tuple[int, float]:
        addresses = (await addresses_of(url, self._private, self._resolve))[:MOST_ADDRESSES]
        for place, address in enumerate(addresses, 1):
            try:
                return await self._post_to(address, url, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                # Nothing has been sent yet, so another address of the same host may be tried.
                if place == len(addresses):
                    raise
        raise NotAllowed("the host has no address")

    async def _post_to(
        self, address: str, url: httpx.URL, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, float]:
        """Connect to this address and no other, whatever the name resolves to meanwhile."""
        named = {**headers, "Host": url.netloc.decode(), "User-Agent": f"Concert/{__version__}"}
        request = self._opened().build_request("POST", url.copy_with(host=address), headers=named, content=body)
        if not _is_address(url.host):
            request.extensions["sni_hostname"] = url.raw_host.decode()
        response = await self._opened().send(request, stream=True, follow_redirects=False)
        try:
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > MOST_READ:
                    break
        finally:
            await response.aclose()
        return response.status_code, _wait(response.headers.get("retry-after", ""))

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            # Not through a proxy of the environment: it would resolve the name once more.
            self._client = httpx.AsyncClient(
                verify=self._trust or _trusted(),
                timeout=self._seconds,
                trust_env=False,
                limits=httpx.Limits(
                    max_connections=2 * PARALLEL, max_keepalive_connections=PARALLEL, keepalive_expiry=10
                ),
            )
        return self._client


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _wait(retry_after: str) -> float:
    return min(float(retry_after), LONGEST_WAIT) if retry_after.isascii() and retry_after.isdigit() else 0.0


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts, and those that the public internet does; made at first use."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
