"""How targets go is told as it happens and once a week; those who are to reach them say how confident they are."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from services.targets.api.progress import ProgressKeeper
from services.targets.domain.progress import Progress, shown_rate, used_up
from shared.events.progress import ProgressReached, ProgressTakenBack
from tests.targets.bodies import day, eur
from tests.targets.conftest import House
from tests.world import client_of, token_headers


def progress() -> Progress:
    return Progress.make(id="tgt_1", metric="revenue", level="member", ref="mbr_1", externals={})


def reached(threshold: str, attainment: str) -> ProgressReached:
    return ProgressReached(level="member", metric="revenue", ref="mbr_1", threshold=threshold, on=day("2026-02-01"),
                           attainment=attainment)  # fmt: skip


def test_each_threshold_is_told_once_and_taken_back_when_it_is_not_reached_any_more() -> None:
    kept = progress()
    assert list(kept.measure(Fraction(49, 100), day("2026-02-01"))) == []
    assert list(kept.measure(Fraction(95, 100), day("2026-02-01"))) == [
        reached("0.5", "0.950000"), reached("0.9", "0.950000"),
    ]  # fmt: skip
    assert list(kept.measure(Fraction(99, 100), day("2026-02-02"))) == []
    (back,) = kept.measure(Fraction(1, 2), day("2026-02-03"))
    assert isinstance(back, ProgressTakenBack)
    assert (back.threshold, back.attainment) == ("0.9", "0.500000")
    assert [each["threshold"] for each in kept.reached] == ["0.5"]
    assert [each.threshold for each in kept.measure(Fraction(3), day("2026-02-04"))] == ["0.9", "1"]


def test_a_week_is_noted_once() -> None:
    kept = progress()
    noted = kept.note(day("2026-02-02"), Fraction(1, 3), None, day("2026-02-03"))
    assert noted is not None
    assert (noted.attainment, noted.pace) == ("0.333333", None)
    assert kept.note(day("2026-02-02"), Fraction(1, 2), None, day("2026-02-04")) is None
    assert kept.note(day("2026-02-09"), Fraction(1, 2), Fraction(2), day("2026-02-09")) is not None


def test_of_an_allowance_what_is_used_up_counts_and_of_none_anything_is_all_of_it() -> None:
    assert [used_up(Fraction(actual), Fraction(8)) for actual in (0, 4, 10)] == [0, Fraction(1, 2), Fraction(5, 4)]
    assert [used_up(Fraction(actual), Fraction(0)) for actual in (0, 1)] == [0, 1]
    kept = progress()
    # Nothing has happened: an attainment of twice the target, and nothing used up.
    assert list(kept.measure(Fraction(2), day("2026-02-01"), Fraction(0))) == []
    (half,) = kept.measure(Fraction(3, 2), day("2026-02-02"), Fraction(1, 2))
    assert (half.threshold, half.attainment, half.used) == ("0.5", "1.500000", "0.500000")
    (back,) = kept.measure(Fraction(8, 5), day("2026-02-03"), Fraction(2, 5))
    assert isinstance(back, ProgressTakenBack)


@pytest.mark.parametrize(("rate", "shown"), [(Fraction(-1, 3), "-0.333333"), (Fraction(2), "2.000000")])
def test_a_rate_is_shown_with_six_places(rate: Fraction, shown: str) -> None:
    assert shown_rate(rate) == shown


async def aimed(house: House, **fields: Any) -> str:
    body = {"metric": "revenue", "scope": {"level": "member", "ref": house.ada}, "period": "2033-02",
            "value": eur("1000.00")} | fields  # fmt: skip
    target: str = (await house.made("targets", body))["id"]
    return target


async def told(house: House, target: str) -> list[tuple[str, Any]]:
    items = (await house.get(f"progress/{target}/history"))["items"]
    return [(each["type"].split(".")[2], each["data"].get("threshold") or each["data"].get("week")) for each in items]


async def test_trap_10_progress_is_pushed_whoever_looks_and_taken_back_when_the_facts_are_corrected(
    each_house: House,
) -> None:
    house = each_house
    target = await aimed(house)
    store = house.world.services["targets"].runtime.store

    async def look(on: str) -> None:
        moment = datetime.fromisoformat(f"{on}T12:00:00").replace(tzinfo=UTC)
        await ProgressKeeper(store, lambda: moment).tell()

    await house.won("600.00", on="2033-02-03", opened_on="2033-02-01")
    await look("2033-02-04")
    assert await told(house, target) == [("progress-reached", "0.5")]
    deal = await house.won("500.00", on="2033-02-05", opened_on="2033-02-01")
    await look("2033-02-05")
    await look("2033-02-05")
    assert await told(house, target) == [("progress-reached", each) for each in ("0.5", "0.9", "1")]
    await house.made(f"deals/{deal['id']}/reopen", {"on": "2033-02-06"})
    await look("2033-02-06")
    assert (await told(house, target))[3:] == [("progress-taken-back", "0.9"), ("progress-taken-back", "1")]
    await look("2033-02-08")
    await look("2033-02-09")
    assert (await told(house, target))[5:] == [("progress-noted", "2033-02-07")]
    shown = await house.get(f"progress/{target}")
    assert (shown["attainment"], shown["pace"]) == ("0.600000", "2.100000")
    listed = await house.get("progress", ref=house.ada)
    assert target in [each["id"] for each in listed["items"]]
    before = await house.get(f"targets/{target}")
    assert before["version"] == 1


async def test_of_a_target_of_which_less_is_better_it_is_told_how_much_of_its_allowance_is_used_up(
    each_house: House,
) -> None:
    house, scope = each_house, {"level": "member", "ref": each_house.ada}
    store = house.world.services["targets"].runtime.store
    for key, aggregation in (("complaints", "sum"), ("days_to_answer", "mean")):
        metric = {"key": key, "name": key, "direction": "lower", "aggregation": aggregation}
        assert (await house.post("metrics", metric)).status_code in (201, 409)
    of_complaints = await aimed(house, metric="complaints", value="10")
    of_days = await aimed(house, metric="days_to_answer", value="4")

    async def read(metric: str, on: str, value: str) -> None:
        await house.made("readings", {"metric": metric, "scope": scope, "on": on, "value": value})
        moment = datetime.fromisoformat(f"{on}T12:00:00").replace(tzinfo=UTC)
        await ProgressKeeper(store, lambda: moment).tell()

    await read("complaints", "2033-02-02", "4")
    assert (await house.world.admin.get(f"/v1/progress/{of_complaints}")).status_code == 404
    await read("complaints", "2033-02-03", "5")
    await read("days_to_answer", "2033-02-03", "4")
    assert await told(house, of_complaints) == [("progress-reached", each) for each in ("0.5", "0.9")]
    shown = await house.get(f"progress/{of_complaints}")
    assert (shown["used"], shown["attainment"]) == ("0.900000", "1.100000")
    # The second answer came at once: the mean of both is half of what is allowed.
    await read("days_to_answer", "2033-02-04", "0")
    assert await told(house, of_days) == [
        *(("progress-reached", each) for each in ("0.5", "0.9", "1")),
        *(("progress-taken-back", each) for each in ("0.9", "1")),
    ]
    await read("complaints", "2033-02-08", "2")
    assert (await told(house, of_complaints))[2:] == [("progress-reached", "1"), ("progress-noted", "2033-02-07")]
    assert (await house.get(f"progress/{of_complaints}"))["used"] == "1.100000"


async def test_a_check_in_says_how_confident_one_is_and_its_note_stays_here(house: House) -> None:
    target = await aimed(house, period="2034-02")
    path = f"targets/{target}/check-ins"
    first = await house.made(path, {"confidence": "0.4", "note": "Ada is ill", "on": "2034-02-01"})
    assert first["last_check_in"] == {"on": "2034-02-01", "confidence": "0.4", "note": "Ada is ill", "by": None}
    await house.made(path, {"confidence": "0.8", "on": "2034-02-08"})
    items = (await house.get(path))["items"]
    assert [each["confidence"] for each in items] == ["0.8", "0.4"]
    events = (await house.get(f"targets/{target}/history"))["items"]
    assert events[1]["data"] == {"on": "2034-02-01", "confidence": "0.4"}
    problem = await house.refused(path, {"confidence": "1.4"}, 422)
    assert problem["errors"][0]["pointer"] == "/confidence"


async def test_a_member_checks_in_on_their_own_targets_only(house: House) -> None:
    target = await aimed(house, period="2035-02")
    statuses = []
    for member in (house.ada, house.ben):
        headers = token_headers(house.world.settings, "follow-ups:write", "targets:read", member=member)
        async with client_of(house.world.origin, headers) as client:
            answer = await client.post(f"/v1/targets/{target}/check-ins", json={"confidence": "0.5"})
            statuses.append(answer.status_code)
    assert statuses == [200, 409]
