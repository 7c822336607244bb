"""Any OpenID Connect issuer gives identity by its name alone: where its keys are is found by its discovery document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from shared.errors import Overloaded
from shared.identity import issuer as issuers
from shared.identity.issuer import PublishedKeys
from shared.tasks import ended
from tests.kit.identities import OtherIssuer
from tests.logged import logged
from tests.serving import serving
from tests.world import World, client_of, world

WELL_KNOWN = "/.well-known/openid-configuration"


class Provider(OtherIssuer):
    """An issuer behind a real HTTP server, as Keycloak or Entra would be."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.document: dict[str, Any] = {}
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Its discovery document and its keys; nothing else is there."""
        self.paths.append(scope["path"])
        found = {"/realm" + WELL_KNOWN: self.document, "/realm/certs": {"keys": self.published}}.get(scope["path"])
        await send({"type": "http.response.start", "status": 404 if found is None else 200, "headers": []})
        await send({"type": "http.response.body", "body": to_json(found)})

    def signed(self, algorithm: str, **claims: Any) -> dict[str, str]:
        """The header with a token of this issuer."""
        return {"Authorization": f"Bearer {self.token(algorithm, iss=self.name, **claims)}"}


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """A running issuer."""
    issuer = Provider()
    async with serving(issuer) as url:
        issuer.name = f"{url}/realm"
        issuer.document = {"issuer": issuer.name, "jwks_uri": f"{url}/realm/certs"}
        yield issuer


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_an_issuer_that_is_named_lets_its_tokens_in(algorithm: str, tmp_path: Path) -> None:
    async with provider() as issuer, world(tmp_path, jwt_issuer=issuer.name, jwt_audience="concert") as concert:
        headers = issuer.signed(algorithm, sub="ada", scope="openid deals:read")
        async with client_of(concert.origin, headers) as client:
            assert (await client.get("/v1/deals")).status_code == 200
            assert (await client.get("/v1/members")).status_code == 403, "only what its scope names"
            assert (await client.post("/v1/deals", json={})).status_code == 403
        async with client_of(concert.origin, issuer.signed(algorithm, aud="another tool")) as client:
            assert (await client.get("/v1/deals")).status_code == 401
        assert (await concert.admin.get("/v1/deals")).status_code == 401, "our own signature counts no more"
        assert issuer.paths == ["/realm" + WELL_KNOWN, "/realm/certs"], "asked once each, however many requests come"


async def test_an_issuer_that_names_itself_with_a_slash_is_found_and_must_spell_itself_so(tmp_path: Path) -> None:
    async with provider() as issuer:
        issuer.name += "/"
        with pytest.raises(Overloaded):
            await PublishedKeys(issuer.name).key("RS256")
        issuer.document["issuer"] = issuer.name
        assert await PublishedKeys(issuer.name).key("RS256")


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.example"}, {"issuer": None}, {"jwks_uri": None}, {"jwks_uri": "http://10.0.0.9/keys"},
        {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": ["https://a.example/keys"]}, {"jwks_uri": "https://[oops"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_discovery_document_that_cannot_be_trusted_gives_no_keys(wrong: dict[str, Any]) -> None:
    async with provider() as issuer:
        issuer.document |= wrong
        with pytest.raises(Overloaded, match="cannot be fetched now"):
            await PublishedKeys(issuer.name).key("RS256")
        assert issuer.paths == ["/realm" + WELL_KNOWN]


async def test_discovery_is_not_followed_elsewhere() -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "login.example", "followed"
        return httpx.Response(302, headers={"Location": "https://evil.example" + WELL_KNOWN})

    with pytest.raises(Overloaded):
        await PublishedKeys("https://login.example", transport=httpx.MockTransport(redirect)).key("RS256")


async def test_keys_that_have_moved_are_found_again(tmp_path: Path) -> None:
    seconds = [0.0]
    async with provider() as issuer:
        keys = PublishedKeys(issuer.name, clock=lambda: seconds[0])
        issuer.document["jwks_uri"] += "-not-here-yet"
        with pytest.raises(Overloaded):
            await keys.key("RS256")
        issuer.document["jwks_uri"] = issuer.document["jwks_uri"].removesuffix("-not-here-yet")
        seconds[0] += 6
        assert await keys.key("RS256")


async def ready(concert: World) -> tuple[int, dict[str, str]]:
    """What readiness answers, and what it says of its parts, those of all services included."""
    answer = await concert.admin.get("/readyz")
    return answer.status_code, answer.json()["parts"]


async def until_identity_is(concert: World, state: Callable[[str], bool]) -> dict[str, str]:
    async with asyncio.timeout(20):
        while not state((parts := (await ready(concert))[1]).get("identity", "")):
            await asyncio.sleep(0.02)
    return parts


async def test_without_the_keys_of_its_issuer_nothing_is_ready_and_it_is_said_of_whom_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "BETWEEN_FAILURES", 0.05)
    async with provider() as issuer:
        right = issuer.document["issuer"]
        issuer.document["issuer"] = "https://somebody.example"
        async with world(tmp_path, jwt_issuer=issuer.name) as concert:
            wrong = "its discovery document is not that of this issuer, to the letter"
            red = f"the keys of {issuer.name} are not known, so its tokens are turned away: {wrong}"
            parts = await until_identity_is(concert, lambda said: said == red)
            assert (parts["teams identity"], (await ready(concert))[0]) == (red, 503)
            async with client_of(concert.origin, issuer.signed("RS256", scope="deals:read")) as client:
                assert (await client.get("/v1/deals")).status_code == 503, "as readiness says"
                told = (await client.get("/metrics")).text
                assert 'concert_part_ready{part="identity",service="targets"} 0.0' in told
                issuer.document["issuer"] = right
                # Nobody need ask with a token.
                await until_identity_is(concert, lambda said: said == "ok")
                assert (await ready(concert))[0] == 200
                assert (await client.get("/v1/deals")).status_code == 200
                # What is known is enough while the issuer is away, for as long as tokens are judged by it.
                issuer.document.clear()
                keys = concert.services["teams"].runtime.issuer
                assert keys is not None
                monkeypatch.setattr(keys, "_fetched", keys._clock() - 3500)
                monkeypatch.setattr(keys, "_tried", keys._clock() - 3500)
                asked = len(issuer.paths)
                async with asyncio.timeout(20):
                    while len(issuer.paths) < asked + 2:
                        await asyncio.sleep(0.02)
                assert (await ready(concert))[0] == 200
            async with client_of(concert.origin, issuer.signed("ES256", scope="deals:read")) as client:
                assert (await client.get("/v1/deals")).status_code == 200


async def test_an_issuer_that_cannot_be_reached_is_said_in_one_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuers, "BETWEEN_FAILURES", 0.01)
    keys = PublishedKeys("http://127.0.0.1:1/realm")
    assert keys.trouble is not None
    assert "they have not been asked for yet" in keys.trouble
    with logged() as lines:
        task = asyncio.create_task(keys.keep())
        await asyncio.sleep(0.3)
        await ended(task)
    (away,) = lines.all
    assert (away["event"], away["engine"]) == ("engine_away", "the issuer http://127.0.0.1:1/realm")
    assert away["reason"] in keys.trouble


async def test_who_signs_the_tokens_themselves_has_nobody_to_wait_for(tmp_path: Path) -> None:
    async with world(tmp_path) as concert:
        status, parts = await ready(concert)
    assert (status, "identity" in parts) == (200, False)
