"""Requests, items and actions decide for themselves: what is on time, what is open on which day, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.meetings.domain.actions import Action, ActionIsDone, ActionIsOpen
from services.meetings.domain.items import Item, ItemIsOpen, ItemIsResolved
from services.meetings.domain.meetings import EndsBeforeStart, Meeting, MeetingIs
from services.meetings.domain.requests import (
    PromisedBeforeAsked,
    PromiseStays,
    ReopenedBeforeResolved,
    Request,
    RequestIsOpen,
    RequestIsResolved,
    ResolvedBeforeAsked,
)
from services.meetings.domain.spells import ClosedBeforeOpened, ReopenedBeforeClosed, open_after, open_on
from shared.events.items import ActionDone, ItemReopened
from shared.events.meetings import MeetingEnded
from shared.events.requests import RequestMade, RequestPromised, RequestReopened, RequestResolved


def july(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 7, day, hour, tzinfo=UTC)


def day(number: int) -> date:
    return date(2026, 7, number)


def asked(**fields: Any) -> Request:
    said: dict[str, Any] = {"id": "req_1", "asks_for": "it_support", "title": "No sound", "from_department": "sales",
           "to_department": "it", "asked_at": july(1), "asked_on": day(1)}  # fmt: skip
    request, _ = Request.ask(**(said | fields))
    return request


def test_asking_tells_the_departments_of_that_day_and_no_title() -> None:
    _, made = Request.ask(
        asks_for="it_support", title="Ada's laptop", from_department="sales", to_department="it",
        from_member="mbr_1", asked_at=july(1), asked_on=day(1), promised_by=day(3),
    )  # fmt: skip
    assert made == RequestMade(
        kind="it_support", on=day(1), from_department="sales", to_department="it", from_member="mbr_1",
        promised_by=day(3),
    )  # fmt: skip


@pytest.mark.parametrize(("done", "on_time"), [(3, True), (2, True), (4, False)])
def test_what_is_resolved_by_the_day_promised_is_on_time(done: int, on_time: bool) -> None:
    request = asked(promised_by=day(3))
    resolved = request.resolve(july(done, 23), day(done), None)
    assert resolved == RequestResolved(on=day(done), seconds=((done - 1) * 24 + 14) * 3600, on_time=on_time)


def test_without_a_promise_nothing_is_on_time_or_late() -> None:
    assert asked().resolve(july(2), day(2), None).on_time is None


def test_a_promise_made_anew_before_its_day_counts() -> None:
    request = asked(promised_by=day(3))
    assert request.promise(day(8), on=day(3)) == RequestPromised(on=day(3), by=day(8))
    assert request.resolve(july(7), day(7), None).on_time is True


def test_a_broken_promise_is_not_mended_by_a_later_one() -> None:
    request = asked(promised_by=day(3))
    request.promise(day(8), on=day(4))
    assert request.promised_by == day(8)
    assert request.resolve(july(7), day(7), None).on_time is False


def test_a_broken_promise_is_not_mended_by_describing_the_request_anew() -> None:
    request = asked(promised_by=day(3))
    request.change(day(4), promised_by=day(8))
    assert request.resolve(july(7), day(7), None).on_time is False


def test_after_a_reopening_the_promise_stands_until_a_new_one_is_made() -> None:
    kept, renewed = asked(promised_by=day(3)), asked(promised_by=day(3))
    for request in (kept, renewed):
        request.resolve(july(2), day(2), None)
        assert request.reopen(july(5), day(5), "it broke again") == RequestReopened(on=day(5))
    renewed.promise(day(6), on=day(5))
    assert kept.resolve(july(6), day(6), None) == RequestResolved(on=day(6), seconds=24 * 3600, on_time=False)
    assert renewed.resolve(july(6), day(6), None).on_time is True


def test_the_same_promise_again_changes_nothing() -> None:
    assert asked(promised_by=day(3)).promise(day(3), on=day(2)) is None


def test_a_request_refuses_what_cannot_be() -> None:
    request = asked(promised_by=day(3))
    with pytest.raises(RequestIsOpen):
        request.reopen(july(2), day(2), "why not")
    with pytest.raises(PromisedBeforeAsked, match=r"asked for on 2026-07-01 cannot be promised by 2026-06-30"):
        request.promise(date(2026, 6, 30), on=day(2))
    with pytest.raises(PromiseStays, match=r"promised by 2026-07-03; a promise is replaced by another"):
        request.change(day(2), promised_by=None)
    with pytest.raises(ResolvedBeforeAsked):
        request.resolve(july(1, 8), day(1), None)
    request.resolve(july(2), day(2), None)
    with pytest.raises(RequestIsResolved):
        request.resolve(july(3), day(3), None)
    with pytest.raises(RequestIsResolved):
        request.promise(day(9), on=day(2))
    with pytest.raises(RequestIsResolved):
        request.change(day(3), to_department="hr")
    with pytest.raises(ReopenedBeforeResolved):
        request.reopen(july(1, 10), day(1), "too early")


def test_a_request_is_on_each_day_what_it_was_then() -> None:
    request = asked()
    request.resolve(july(3), day(3), "new cable")
    request.reopen(july(5), day(5), "again")
    request.resolve(july(9), day(9), "new laptop")
    seen = {number: (request.as_on(day(number)) or {}).get("status") for number in (1, 2, 3, 4, 5, 8, 9)}
    assert seen == {1: "open", 2: "open", 3: "resolved", 4: "resolved", 5: "open", 8: "open", 9: "resolved"}
    assert request.as_on(date(2026, 6, 30)) is None


def test_what_was_opened_and_closed_on_the_same_day_is_closed_after_it_and_was_open_on_it() -> None:
    opened, closed = ["2026-07-01", "2026-07-01"], ["2026-07-01", "2026-07-01"]
    assert not open_after(day(1), opened, closed)
    assert open_on(day(1), opened, closed)
    assert not open_on(day(2), opened, closed)


def item() -> Item:
    raised, _ = Item.bring_up(id="item_1", sort="problem", title="Stock", series="srs_1", raised_on=day(6))
    return raised


def test_an_item_is_resolved_once_and_reopened_only_when_resolved() -> None:
    raised = item()
    with pytest.raises(ItemIsOpen):
        raised.reopen(day(7))
    with pytest.raises(ClosedBeforeOpened, match=r"opened on 2026-07-06; it cannot be closed on 2026-07-05"):
        raised.resolve(day(5), None)
    raised.resolve(day(8), "ordered")
    with pytest.raises(ItemIsResolved, match=r"resolved on 2026-07-08"):
        raised.resolve(day(9), None)
    with pytest.raises(ItemIsResolved):
        raised.change(series="srs_2")
    with pytest.raises(ReopenedBeforeClosed):
        raised.reopen(day(7))
    assert raised.reopen(day(10)) == ItemReopened(on=day(10))


def test_an_item_cannot_have_been_raised_after_it_was_resolved() -> None:
    raised = item()
    raised.resolve(day(8), None)
    raised.reopen(day(10))
    with pytest.raises(ClosedBeforeOpened):
        raised.change(raised_on=day(9))


@pytest.mark.parametrize(("done", "on_time"), [(10, True), (11, False)])
def test_an_action_done_by_the_day_it_was_due_is_on_time(done: int, on_time: bool) -> None:
    action, _ = Action.agree(title="Call", owner="mbr_1", due=day(10), agreed_on=day(6))
    with pytest.raises(ActionIsOpen):
        action.reopen(day(7))
    assert action.done(day(done)) == ActionDone(on=day(done), on_time=on_time)
    with pytest.raises(ActionIsDone):
        action.done(day(12))
    with pytest.raises(ActionIsDone):
        action.change(day(12), due=day(20))
    assert action.change(day(12), title="Call the supplier") is not None


def test_a_meeting_is_held_in_order_and_not_backwards() -> None:
    meeting, _ = Meeting.call(id="mtg_1", name="Weekly", starts_at=july(6), on=day(6))
    with pytest.raises(MeetingIs, match="This meeting is called; only one that is running can do that"):
        meeting.end(july(6), day(6), None)
    meeting.start(july(6, 10), day(6))
    with pytest.raises(MeetingIs):
        meeting.cancel()
    with pytest.raises(MeetingIs):
        meeting.change(starts_at=july(7))
    with pytest.raises(EndsBeforeStart):
        meeting.end(july(6, 9), day(6), None)
    assert meeting.end(july(6, 11), day(6), "what was said") == MeetingEnded(on=day(6), lasted=60)
    assert meeting.change(name="Weekly of July") is not None
