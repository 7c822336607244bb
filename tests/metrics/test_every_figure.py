"""Every number can be opened: what it means, and what it is made of, row by row or said where."""

from __future__ import annotations

from typing import Any

import pytest

from services.metrics.views import VIEWS
from services.metrics.views.frame import Figure
from services.metrics.views.rows import SOURCES
from tests.metrics.company import settle_in
from tests.world import World

FIGURES = [(name, figure) for name, view in VIEWS.items() for figure in view.figures]


@pytest.mark.parametrize(("view", "figure"), FIGURES, ids=lambda each: each.key if isinstance(each, Figure) else each)
def test_a_figure_says_what_it_means_and_opens_to_rows_or_says_where(view: str, figure: Figure) -> None:
    assert figure.definition.endswith("."), view
    assert len(figure.definition.split()) > 2, view
    # Rows or a reason, never neither and never both.
    assert (figure.rows is None) == bool(figure.opens), view
    if figure.rows is not None:
        assert figure.rows in SOURCES, view


async def test_each_figure_opens_over_http_and_customers_are_the_rows_of_their_counts(world: World) -> None:
    tokens = await settle_in(world.admin)
    for name, view in VIEWS.items():
        query = {"period": "2025-Q3", "after": tokens}
        shown = (await world.admin.get(f"/v1/views/{name}", params=query, headers={"Prefer": "wait=20"})).json()
        assert set(shown["definitions"]) == set(shown["figures"]) == {figure.key for figure in view.figures}
        for figure in view.figures:
            asked = {"figure": figure.key, "period": "2025-Q3", "limit": "200"}
            answer = await world.admin.get(f"/v1/views/{name}/rows", params=asked)
            if figure.rows is None:
                assert answer.status_code == 404
                assert figure.opens in answer.json()["detail"]
                continue
            assert answer.status_code == 200, (figure.key, answer.text)
            if figure.key.startswith("customers_") and figure.key != "customers_without_owner":
                rows = {row["ref"] for row in answer.json()["items"]}
                assert len(rows) == shown["figures"][figure.key], figure.key


async def test_people_are_the_rows_of_their_counts_wherever_they_belong(world: World) -> None:
    tokens = await settle_in(world.admin)
    asked: dict[str, Any] = {"after": tokens, "period": "2025"}
    await world.admin.get("/v1/views/hr", params=asked, headers={"Prefer": "wait=20"})
    teams = [team["id"] for team in (await world.admin.get("/v1/teams")).json()["items"]]
    queries: list[dict[str, str]] = [{}, {"department": "sales"}, {"department": "it"}]
    queries += [{"team": team} for team in teams]
    counted = 0
    for name, key in (("sales", "members"), ("hr", "headcount"), ("hr", "joiners"), ("hr", "leavers"),
                      ("hr", "headcount_sales")):  # fmt: skip
        for query in queries:
            view = (await world.admin.get(f"/v1/views/{name}", params={"period": "2025", **query})).json()
            if view["figures"][key] is None:
                continue
            rows = await world.admin.get(
                f"/v1/views/{name}/rows", params={"period": "2025", "figure": key, "limit": "200", **query}
            )
            assert len(rows.json()["items"]) == view["figures"][key], (key, query)
            counted += view["figures"][key]
    assert counted > 0
