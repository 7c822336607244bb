"""A target is distributed in amounts or in shares, which sum to it exactly, or is refused with the difference."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House

MONTHS = ("2023-01-01", "2023-02-01", "2023-03-01")


def shares(*parts: str) -> list[dict[str, str]]:
    return [{"on": on, "share": part} for on, part in zip(MONTHS, parts, strict=False)]


async def test_shares_become_amounts_that_sum_to_the_cent(house: House) -> None:
    body = target_body("organisation", None, eur("100.00"), "2023-Q1",
                       distribution=shares("0.333333", "0.333333", "0.333334"))  # fmt: skip
    target = await house.made("targets", body)
    assert [row["value"] for row in target["distribution"]] == [eur("33.33"), eur("33.33"), eur("33.34")]
    due = (await house.attained(target, "2023-01-31"))["pace"]
    assert due["denominator"] == eur("33.33")
    changed = await house.world.admin.patch(
        f"/v1/targets/{target['id']}",
        json={"value": eur("10.01"), "distribution": shares("0.5", "0.25", "0.25")},
        headers={"If-Match": f'"{target["version"]}"'},
    )
    assert [row["value"]["amount"] for row in changed.json()["distribution"]] == ["5.01", "2.50", "2.50"], changed.text


async def test_shares_stay_shares_when_the_value_changes_and_amounts_have_to_be_sent_anew(house: House) -> None:
    rows = shares("0.5", "0.25", "0.25")
    target = await house.made(
        "targets", target_body("department", "sales", eur("100.00"), "2023-Q1", distribution=rows)
    )
    assert [row["share"] for row in target["distribution"]] == ["0.5", "0.25", "0.25"]
    path, admin = f"/v1/targets/{target['id']}", house.world.admin
    doubled = (await admin.patch(path, json={"value": eur("200.00")}, headers={"If-Match": "*"})).json()
    assert [row["value"] for row in doubled["distribution"]] == [eur("100.00"), eur("50.00"), eur("50.00")]
    assert [row["share"] for row in doubled["distribution"]] == ["0.5", "0.25", "0.25"]
    amounts = [{"on": on, "value": eur("100.00")} for on in MONTHS[:2]]
    fixed = (await admin.patch(path, json={"distribution": amounts}, headers={"If-Match": "*"})).json()
    assert [row["share"] for row in fixed["distribution"]] == [None, None]
    refused = await admin.patch(path, json={"value": eur("10.00")}, headers={"If-Match": "*"})
    assert refused.status_code == 422
    assert "sums to 200.00 EUR; the target is 10.00 EUR" in refused.json()["detail"]


async def test_shares_of_a_number_of_things_sum_to_it(house: House) -> None:
    body = target_body("team", house.north, "10", "2023-Q1", metric="deals_won",
                       distribution=shares("0.333333", "0.333333", "0.333334"))  # fmt: skip
    target = await house.made("targets", body)
    assert [row["value"] for row in target["distribution"]] == ["3.33333", "3.33333", "3.33334"]


async def test_trap_13_shares_and_rows_that_do_not_sum_are_refused_with_what_they_sum_to(house: House) -> None:
    wrong: list[tuple[Any, str]] = [
        (shares("0.5", "0.3"), "the shares sum to 0.8; they must sum to 1, 0.2 more"),
        ([*shares("0.5"), {"on": MONTHS[1], "value": eur("50.00")}], "either values or shares"),
        ([{"on": MONTHS[0]}], "either a value or a share"),
        ([{"on": MONTHS[0], "share": "1", "value": eur("100.00")}], "either a value or a share"),
        (shares("1.5"), "/distribution/0/share"),
        ([{"on": "2024-01-01", "share": "1"}], "/distribution"),
    ]
    for rows, words in wrong:
        body = target_body("member", house.ada, eur("100.00"), "2023-Q1", distribution=rows)
        assert words in str(await house.refused("targets", body, 422)), rows
    template = {"metric": "revenue", "period": "2023-Q1", "value": eur("100.01"),
                "distribution": shares("0.5", "0.5")}  # fmt: skip
    answer = await house.made("targets/assign", {"template": template, "to": {"members": [house.ada, house.ben]}})
    assert answer["made"] == 2, answer
