"""Whose tokens are believed: ourselves, or an issuer that publishes its keys (JWKS)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx

from shared.errors import Overloaded
from shared.identity.keys import SigningKey, VerifyKey, key_set
from shared.outage import Outage
from shared.settings import TRUSTED, trusted

OWN_ISSUER: Final = "concert"
MAX_BYTES: Final = 256 * 1024
DEADLINE: Final = 5.0
FRESH: Final = 600.0
USABLE: Final = 3600.0
BETWEEN_FETCHES: Final = 30.0
BETWEEN_FAILURES: Final = 5.0
DISCOVERY: Final = "/.well-known/openid-configuration"


class Issuer(Protocol):
    """Someone whose tokens are believed."""

    @property
    def name(self) -> str:
        """What its tokens say in `iss`."""

    async def key(self, kid: str) -> VerifyKey | None:
        """Its key of that name, if it has one. Raises Overloaded when that cannot be known now."""


class Ourselves:
    """Tokens we signed."""

    name = OWN_ISSUER

    def __init__(self, signing: SigningKey) -> None:
        self._public = signing.public

    async def key(self, kid: str) -> VerifyKey | None:
        """Our key, when that is its name."""
        return self._public if kid == self._public.kid else None


class PublishedKeys:
    """The keys an issuer publishes, fetched before they are needed and kept.

    Ten minutes old they are fetched again beside the requests; an unknown name fetches at most every 30 seconds; when
    the issuer cannot be reached they serve for an hour.
    """

    def __init__(
        self,
        name: str,
        url: str = "",
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._url = url
        self._transport = transport
        self._clock = clock
        self._keys: dict[str, VerifyKey] = {}
        self._fetched = self._tried = float("-inf")
        self._pause = BETWEEN_FETCHES
        self._fetching: asyncio.Task[None] | None = None
        self._outage = Outage(f"the issuer {name}")
        self._failure = "they have not been asked for yet"

    @property
    def trouble(self) -> str | None:
        """Why none of its tokens can be judged now; none while there are keys to judge them by."""
        if self._clock() - self._fetched <= USABLE:
            return None
        return f"the keys of {self.name} are not known, so its tokens are turned away: {self._failure}"

    async def keep(self) -> None:
        """Fetch its keys before somebody needs them, and anew when they are old, for ever."""
        while True:
            if self._clock() - self._fetched > FRESH:
                await self._fetch()
            await asyncio.sleep(BETWEEN_FAILURES)

    async def key(self, kid: str) -> VerifyKey | None:
        """Its key of that name, if it has one. Raises Overloaded when its keys cannot be fetched."""
        age = self._clock() - self._fetched
        if age > USABLE:
            await self._fetch()
            if self._clock() - self._fetched > USABLE:
                raise Overloaded("The keys that tokens are checked against cannot be fetched now; try again soon.")
        elif kid not in self._keys:
            await self._fetch()
        elif age > FRESH:
            self._begin()
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        task = self._begin()
        if task is not None:
            await asyncio.shield(task)

    def _begin(self) -> asyncio.Task[None] | None:
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        if self._clock() - self._tried < self._pause:
            return None
        self._tried = self._clock()
        self._fetching = asyncio.create_task(self._refresh(), name="fetch the issuer's keys")
        return self._fetching

    async def _refresh(self) -> None:
        try:
            keys = await published_keys(self.name, self._url, self._transport)
        except Exception as error:
            # Whatever it was: the keys at hand stay, and it is tried again.
            self._pause = BETWEEN_FAILURES
            self._failure = _said_of(error)
            self._outage.goes_on(self._failure)
            return
        self._outage.is_over()
        self._keys, self._fetched, self._pause = keys, self._clock(), BETWEEN_FETCHES


def _said_of(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no answer within {DEADLINE:g} s"
    return str(error) or type(error).__name__


async def published_keys(
    issuer: str, url: str = "", transport: httpx.AsyncBaseTransport | None = None
) -> dict[str, VerifyKey]:
    """The usable keys of an issuer by name, and there are some; at this address, or where the issuer says. Raises
    ValueError, httpx.HTTPError, TimeoutError."""
    async with asyncio.timeout(DEADLINE):
        url = url or await _discovered(issuer, transport)
        keys = key_set(json.loads(await _download(url, transport)))
    if not keys:
        raise ValueError("no usable key in it")
    return keys


async def _discovered(issuer: str, transport: httpx.AsyncBaseTransport | None) -> str:
    """Where an issuer says that its keys are (OpenID Connect Discovery 1.0, section 4)."""
    said = json.loads(await _download(issuer.removesuffix("/") + DISCOVERY, transport))
    if not isinstance(said, dict) or said.get("issuer") != issuer:
        # Somebody else's document must not name the keys that we believe.
        raise ValueError("its discovery document is not that of this issuer, to the letter")
    url = said.get("jwks_uri")
    if not isinstance(url, str) or not trusted(url):
        raise ValueError(f"its discovery document names no jwks_uri that can be trusted: {TRUSTED}")
    return url


async def _download(url: str, transport: httpx.AsyncBaseTransport | None) -> bytes:
    # No redirects: whoever could redirect this request could choose the keys we believe.
    client = httpx.AsyncClient(follow_redirects=False, timeout=DEADLINE, transport=transport)
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client, client.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            raise ValueError(f"it answered {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ValueError("it is compressed, so its size is not known")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        return bytes(body)
