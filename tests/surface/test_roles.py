"""Every route asked by every role: the doors are where the committed table says, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter

from concert.services import SERVICES
from shared.application import running
from shared.identity.gate import Identity, signing_key
from shared.identity.keys import SigningKey
from shared.identity.permissions import MARK, RouteWithoutPermission, scopes_nobody_is_given
from shared.identity.scopes import DEPARTMENTS
from shared.identity.tokens import mint
from shared.store.migrate import migrate
from tests.surface.roles import DOCUMENT, ROLES, Route, addresses, as_markdown, let_through, matrix, routes_of
from tests.world import World, client_of, embedded, world


@pytest.fixture(scope="module")
async def concert(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("roles")) as started:
        yield started


@pytest.fixture(scope="module")
async def found(concert: World) -> dict[Route, dict[str, bool]]:
    return await matrix(concert)


async def test_the_table_says_who_is_let_through(found: dict[Route, dict[str, bool]]) -> None:
    committed = DOCUMENT.read_text().splitlines()
    asked = as_markdown(found).splitlines()
    different = sorted(set(asked) ^ set(committed))
    assert not different, "\n".join(["`python -m tests.surface.roles` writes what is so now:", *different])


async def test_nobody_comes_in_without_a_token_but_where_everybody_may(found: dict[Route, dict[str, bool]]) -> None:
    let_in = {path for (_, path), may in found.items() if may["nobody"]}
    assert {path for path in let_in if path.startswith("/v1/")} <= {
        "/v1/series/{id}/calendar.ics", "/v1/calendars/{id}/calendar.ics",
    }  # fmt: skip
    # The page without a token is the one that says how to sign in.
    open_to_all = [may for (_, path), may in found.items() if may["nobody"] and path != "/"]
    assert all(may[role] for may in open_to_all for role in ROLES)


async def test_an_administrator_is_let_through_everywhere(found: dict[Route, dict[str, bool]]) -> None:
    # A body without a link that is good once signs nobody in.
    assert [route for route, may in found.items() if not may["admin"]] == [("POST", "/login")]


async def test_each_department_sees_its_own_view_and_no_other(found: dict[Route, dict[str, bool]]) -> None:
    views = {path: may for (_, path), may in found.items() if path.startswith("/v1/views/")}
    departments = {path: path.split("/")[3] for path in views if path != "/v1/views/rebuild"}
    assert set(departments.values()) == set(DEPARTMENTS)
    for path, department in departments.items():
        seen_by = {role.removesuffix(" tool") for role, let in views[path].items() if let and role.endswith("tool")}
        assert seen_by == {department}, path


async def test_tokens_that_are_not_ours_or_not_valid_any_more_open_nothing(
    concert: World, found: dict[Route, dict[str, bool]]
) -> None:
    ours, audience = signing_key(concert.settings), concert.settings.jwt_audience

    def token(key: SigningKey = ours, *, of: str = audience, seconds: int = 60) -> dict[str, str]:
        minted = mint(key, subject="x", scopes=["admin"], expires=timedelta(seconds=seconds), audience=of)
        return {"Authorization": f"Bearer {minted}"}

    strange = {
        "expired": token(seconds=-3600),
        "for another audience": token(of="somebody-else"),
        "signed by another": token(SigningKey.of(Ed25519PrivateKey.generate())),
        "cut": {"Authorization": token()["Authorization"][:-4]},
        "no token": {"Authorization": "Bearer x"},
    }
    async with client_of(concert.origin, {}) as client:
        for (method, path), may in found.items():
            if may["nobody"]:
                continue
            for name, headers in strange.items():
                assert not await let_through(client, path, method, headers), f"{method} {path} with a token {name}"


async def test_every_route_is_in_the_table_and_every_scope_is_given_to_somebody(
    concert: World, found: dict[Route, dict[str, bool]]
) -> None:
    for method, path in routes_of(concert):
        assert all((method, address) in found for address in addresses(path))
    for started in concert.services.values():
        assert scopes_nobody_is_given(started.app) == set()


async def test_a_service_with_a_route_that_names_no_permission_does_not_start(tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/v1/secrets")
    async def secrets() -> str:
        return "everything"

    metrics = next(each for each in SERVICES if each.name == "metrics")
    async with embedded(tmp_path) as ground:
        async with world(tmp_path / "other") as other:
            settings = other.settings
        chosen = settings.model_copy(update={"data": tmp_path, "store_url": ground.store_url})
        migrate(metrics, chosen.store)
        careless = replace(metrics, routers=(*metrics.routers, router))
        with pytest.raises(RouteWithoutPermission, match="/v1/secrets"):
            async with running(careless, chosen, ground.bus, Identity.of(chosen)):
                pass


def test_the_documents_say_which_scope_a_route_needs(concert: World) -> None:
    for name, started in concert.services.items():
        for path, operations in started.app.openapi()["paths"].items():
            for method, operation in operations.items():
                assert MARK in operation, f"{name}: {method} {path}"
