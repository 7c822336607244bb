"""A view's filter names something that is known here; what is not known is said, and not shown as a view of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metrics.company import ref
from tests.world import World

DIMENSIONS = ("department", "team", "group", "member", "customer", "product")
PATHS = ("/v1/views", "/v1/views/sales", "/v1/views/sales/rows?figure=deals_won")


def with_filter(path: str, dim: str, value: str) -> str:
    """An address with a filter."""
    return f"{path}{'&' if '?' in path else '?'}period=2025&{dim}={value}"


async def asked(company: World, path: str) -> tuple[int, Any]:
    answer = await company.admin.get(path)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("value", ["team_01unknown", "ext:demo:unknown", "ext:", "ext:demo", "%F0%9F%98%80"])
async def test_a_filter_that_names_nothing_known_is_refused_by_its_name(
    company: World, path: str, dim: str, value: str
) -> None:
    status, problem = await asked(company, with_filter(path, dim, value))
    assert (status, problem["type"]) == (404, "/problems/not-found"), problem
    assert problem["errors"] == [{"pointer": f"/{dim}", "detail": "not known"}]
    assert problem["detail"].startswith(f"There is no {dim} ")


@pytest.mark.parametrize(
    ("collection", "dim", "name"),
    [("teams", "team", "North"), ("members", "member", "Ada Berg"), ("customers", "customer", "0"),
     ("products", "product", "Aurora")],
)  # fmt: skip
async def test_a_filter_takes_our_id_and_another_systems_alike(
    company: World, collection: str, dim: str, name: str
) -> None:
    ours = (await company.admin.get(f"/v1/{collection}/{ref(name)}")).json()["id"]
    by_ours = await asked(company, with_filter("/v1/views/sales", dim, ours))
    by_theirs = await asked(company, with_filter("/v1/views/sales", dim, ref(name)))
    assert by_ours == by_theirs
    assert by_ours[0] == 200
    assert by_ours[1]["figures"]["deals_won"] > 0


async def test_every_row_of_a_breakdown_can_be_filtered_by(company: World) -> None:
    for dim in DIMENSIONS:
        _, view = await asked(company, f"/v1/views/sales?period=2025&breakdown={dim}")
        refs = [row for row in view["breakdown"]["rows"] if row["ref"]]
        assert refs or dim == "group"
        for row in refs:
            status, alone = await asked(company, with_filter("/v1/views/sales", dim, row["ref"]))
            assert status == 200
            assert alone["figures"]["deals_won"] == row["figures"]["deals_won"]
