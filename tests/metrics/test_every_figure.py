"""Every number can be opened: what it means, and what it is made of, row by row or said where."""

from __future__ import annotations

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
