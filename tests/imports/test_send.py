"""Sending: what is asked in which order, what happens when Concert is busy, breaks off, or says no."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from concert.imports import asking, send
from concert.imports.asking import Asking, Stopped
from concert.imports.crm import plan_crm
from concert.imports.plan import Plan
from concert.imports.report import Report
from concert.imports.send import Outcome, carry_out
from tests.imports.desk import Desk
from tests.imports.test_crm_files import GOOD, HEADER

DEALS = [GOOD] + [f"B{number},Ada Berg,X,C,Lost,2017-01-01,2017-03-01,0" for number in range(20)]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "SHORT_REST", 0.0)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "sales_pipeline.csv").write_text("\n".join([HEADER, *DEALS]), encoding="utf-8")
    (tmp_path / "sales_teams.csv").write_text(
        "sales_agent,manager,regional_office\nAda Berg,Mel,East\n", encoding="utf-8"
    )
    return plan_crm(tmp_path, Report())


async def sent(plan: Plan, desk: Desk, report: Report | None = None, tries: int = 3) -> Outcome:
    async with desk.client() as client:
        return await carry_out(plan, client, report or Report(), lambda name, rows: None, tries=tries)


async def test_everything_is_sent_in_an_order_in_which_it_is_known(plan: Plan) -> None:
    desk = Desk()
    outcome = await sent(plan, desk)
    assert [name for name, _ in desk.bulks] == [
        "members",
        "members",
        "teams",
        "members",
        "customers",
        "products",
        "deals",
    ]
    made = 2 + 1 + 2 + 2 + 21
    assert (outcome.created, outcome.done, outcome.unchanged, outcome.refused) == (made, 2 + 21, 0, 0)
    assert outcome.events == made + 23


async def test_deals_wait_until_the_people_they_speak_of_are_known(plan: Plan) -> None:
    desk = Desk()
    await sent(plan, desk)
    ((path, after, told),) = desk.waited_for
    assert path == "/v1/deals"
    assert after == ["batch/1@1", "batch/2@1", "batch/3@1", "batch/4@2"]
    assert "deals" not in told


async def test_a_second_import_makes_nothing_and_waits_for_nothing(plan: Plan) -> None:
    desk = Desk()
    await sent(plan, desk)
    desk.waited_for.clear()
    outcome = await sent(plan, desk)
    assert (outcome.created, outcome.done, outcome.refused, outcome.events) == (0, 0, 0, 0)
    assert outcome.unchanged == sum(step.size for step in plan.steps.values())
    assert outcome.batches == []
    assert desk.waited_for == []


async def test_what_is_about_one_deal_stays_in_one_request_and_in_order(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "ROWS_PER_REQUEST", 5)
    desk = Desk()
    await sent(plan, desk)
    requests = [rows for name, rows in desk.bulks if name == "deals"]
    assert len(requests) == 7
    for rows in requests:
        for opened, closed in zip(rows[::2], rows[1::2], strict=True):
            assert closed["deal"].endswith(f":{opened['external']['id']}")


async def test_a_desk_that_is_busy_is_asked_again_when_it_says_and_nothing_is_doubled(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(Asking, "rest", lambda self, seconds: rests.append(seconds))
    desk = Desk(turned_away=[(503, {"Retry-After": "7"}), (429, {"Retry-After": "11"})])
    outcome = await sent(plan, desk)
    assert rests == [7.0, 11.0]
    assert outcome.refused == 0
    assert len(desk.things["deals"]) == 21


async def test_a_rest_is_kept_before_the_next_request() -> None:
    asked = Asking(Desk().client())
    asked.rest(0.2)
    begun = datetime.now(UTC)
    await asked.read("/v1/views")
    assert datetime.now(UTC) - begun >= timedelta(seconds=0.19)
    await asked.client.aclose()


async def test_retry_after_may_be_a_moment(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(Asking, "rest", lambda self, seconds: rests.append(seconds))
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    await sent(plan, Desk(turned_away=[(503, {"Retry-After": later}), (503, {"Retry-After": "when I like"})]))
    assert 25 < rests[0] <= 30
    assert rests[1] == 1.0


async def test_a_desk_that_stays_busy_ends_the_import_with_the_reason(plan: Plan) -> None:
    desk = Desk(turned_away=[(503, {"Retry-After": "0"})] * 3)
    with pytest.raises(
        Stopped, match=r"1 rows of members were not taken after 3 tries: .* answered 503: Come back later\."
    ):
        await sent(plan, desk)


async def test_a_row_that_is_put_off_is_sent_again_with_all_that_is_about_its_deal(plan: Plan) -> None:
    desk = Desk()
    desk.busy["A1"] = 2
    outcome = await sent(plan, desk)
    assert outcome.refused == 0
    assert outcome.created == 28
    again = [rows for name, rows in desk.bulks if name == "deals"][1:]
    assert [[row.get("do") for row in rows] for rows in again] == [[None, "win"], [None, "win"]]


async def test_an_answer_that_breaks_off_repeats_only_what_has_no_answer(plan: Plan) -> None:
    desk = Desk(cut_after=[11])
    outcome = await sent(Plan("crm", {"deals": plan.steps["deals"]}), desk)
    # Eleven rows were answered: five deals wholly, and of the sixth its opening.
    assert [len(rows) for _, rows in desk.bulks] == [42, 42 - 10]
    assert outcome.created + outcome.done + outcome.unchanged == 42
    assert (outcome.created, outcome.refused) == (6, 0)
    assert all(len(thing.done) == 1 for thing in desk.things["deals"].values())


async def test_answers_that_never_come_end_the_import(plan: Plan) -> None:
    with pytest.raises(Stopped, match=r"1 rows of members were not taken after 3 tries: 0 of 1 rows were answered\."):
        await sent(plan, Desk(cut_after=[0] * 3))


class Breaking(httpx.AsyncBaseTransport):
    """A network that breaks some times before it carries anything."""

    def __init__(self, desk: Desk, breaks: int) -> None:
        self.inner = httpx.ASGITransport(desk)  # type: ignore[arg-type]
        self.breaks = breaks

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.breaks:
            self.breaks -= 1
            raise httpx.ConnectError("nobody there")
        return await self.inner.handle_async_request(request)


async def test_a_connection_that_breaks_is_made_again(plan: Plan) -> None:
    desk = Desk()
    async with desk.client(Breaking(desk, 2)) as client:
        outcome = await carry_out(plan, client, Report(), lambda name, rows: None, tries=3)
    assert outcome.created == 28


async def test_a_connection_that_stays_broken_ends_the_import(plan: Plan) -> None:
    desk = Desk()
    async with desk.client(Breaking(desk, 99)) as client:
        with pytest.raises(Stopped, match="the connection broke after 0 answers \\(nobody there\\)"):
            await carry_out(plan, client, Report(), lambda name, rows: None, tries=3)
        with pytest.raises(Stopped, match="did not answer as it should: nobody there"):
            await Asking(client, tries=2).read("/v1/views")


async def test_a_refused_row_is_reported_by_its_line_and_the_others_stay(plan: Plan) -> None:
    problem = {"status": 422, "detail": "What was sent is not valid.",
               "errors": [{"pointer": "/value", "detail": "too much"}]}  # fmt: skip
    desk, report = Desk(refused={"A1": problem}), Report()
    outcome = await sent(plan, desk, report)
    assert outcome.refused == 2
    assert [str(note) for note in report.refused] == [
        "sales_pipeline.csv, line 2: What was sent is not valid. (/value: too much)"
    ]
    assert len(desk.things["deals"]) == 20


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, r"/v1/members/bulk answered 401: Come back later\. Say --token or set CONCERT_TOKEN"),
        (403, r"/v1/members/bulk answered 403: Come back later\."),
        (404, r"/v1/members/bulk answered 404: Come back later\."),
    ],
)
async def test_what_will_not_get_better_is_not_asked_again(plan: Plan, status: int, why: str) -> None:
    desk = Desk(turned_away=[(status, {})])
    with pytest.raises(Stopped, match=why):
        await sent(plan, desk)
    assert desk.bulks == []


async def test_who_is_known_from_another_import_keeps_the_day_they_started(tmp_path: Path, plan: Plan) -> None:
    desk, report = Desk(), Report()
    await sent(plan, desk)
    (tmp_path / "sales_pipeline.csv").write_text(
        "\n".join([HEADER, "Z1,Ada Berg,X,C,Won,2018-02-01,2018-03-01,5"]), encoding="utf-8"
    )
    outcome = await sent(plan_crm(tmp_path, Report()), desk, report)
    assert (outcome.created, outcome.done, outcome.refused) == (1, 1, 0)
    assert report.refused == []
    assert {thing.fields["starts_on"] for thing in desk.things["members"].values()} == {"2016-01-01"}


async def test_a_batch_told_at_the_end_of_a_long_answer_counts_too(plan: Plan) -> None:
    desk = Desk(counted_at_the_end=True)
    outcome = await sent(plan, desk)
    assert outcome.events == 51
    assert len(outcome.batches) == 7
