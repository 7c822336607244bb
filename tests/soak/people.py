"""Members from their first day to their last, their meetings, and what departments ask of each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from shared.events.items import ActionAgreed, ActionDone, ItemRaised, ItemResolved
from shared.events.meetings import (
    AttendanceNoted,
    MeetingCalled,
    MeetingCancelled,
    MeetingEnded,
    MeetingStarted,
    OutcomeRecorded,
)
from shared.events.requests import RequestMade, RequestPromised, RequestReopened, RequestResolved
from shared.events.teams import MemberJoined, MemberLeft, MemberMoved, MemberRecruited, PersonDescribed
from tests.soak.lives import Figures, Life, Thing
from tests.soak.sales import Seller, later

DAY_SECONDS = 86_400


def member(
    thing: Thing, chance: Random, day: date, teams: Sequence[str], staff: list[Seller], fewest: int, figures: Figures
) -> Life:
    """Somebody who sells for one team and then for others, and leaves as long as enough others stay."""
    person = Thing(f"person/{thing.id}")
    here = Seller(thing.id, chance.choice(teams))
    for view, figure in (("hr", "headcount"), ("hr", "joiners"), ("sales", "members")):
        figures.add(view, figure)
    yield thing.tells(MemberRecruited(department="sales", starts_on=day))
    yield person.tells(PersonDescribed(name=f"Seller {thing.id}", email=f"{thing.id}@concert.example"))
    yield thing.tells(MemberJoined(team=here.team, on=day))
    staff.append(here)
    for number in range(chance.randrange(6)):
        day, there = later(day, chance, 30), Seller(thing.id, chance.choice([t for t in teams if t != here.team]))
        staff[staff.index(here)] = there
        yield thing.tells(MemberMoved(from_team=here.team, to_team=there.team, on=day))
        here = there
        yield person.tells(PersonDescribed(name=f"Seller {thing.id}, moved {number + 1} times"))
    if len(staff) > fewest:
        staff.remove(here)
        for view, figure, amount in (("hr", "headcount", -1), ("hr", "leavers", 1), ("sales", "members", -1)):
            figures.add(view, figure, amount)
        yield thing.tells(MemberLeft(on=later(day, chance, 30)))


def meeting(thing: Thing, chance: Random, day: date, there: Sequence[Seller], figures: Figures) -> Life:
    """A team meets: a problem is raised and resolved, and somebody does what was agreed."""
    first, starts = there[0], datetime.combine(day, time(9), tzinfo=UTC)
    yield thing.tells(MeetingCalled(on=day, starts_at=starts, minutes=30, kind="team", teams=(first.team,)))
    if chance.random() < 0.1:
        yield thing.tells(MeetingCancelled())
        return
    item, action = Thing(f"item/item_of_{thing.id}"), Thing(f"action/act_of_{thing.id}")
    yield thing.tells(MeetingStarted(on=day))
    yield thing.tells(AttendanceNoted(members={each.member: "present" for each in there}))
    yield item.tells(ItemRaised(kind="problem", on=day, meeting=thing.id, raised_by=first.member))
    due = day + timedelta(days=7)
    yield action.tells(ActionAgreed(on=day, owner=first.member, due=due, item=item.id, meeting=thing.id))
    outcome = OutcomeRecorded(kind="action", meeting=thing.id, on=day, item=item.id, action=action.id)
    yield Thing(f"outcome/out_of_{thing.id}").tells(outcome)
    figures.add("hr", "meetings_held")
    yield thing.tells(MeetingEnded(on=day, lasted=chance.randrange(20, 60)))
    done = later(day, chance, 14)
    yield action.tells(ActionDone(on=done, on_time=done <= due))
    figures.add("hr", "problems_solved")
    yield item.tells(ItemResolved(on=done, by=(first.member,)))


def request(thing: Thing, chance: Random, day: date, asker: Seller, figures: Figures) -> Life:
    """A department asks IT for help, which is promised and given; sometimes it was none."""
    asks, promised = chance.choice(("sales", "hr", "finance")), later(day, chance, 10)
    figures.add("it", "requests_opened")
    if asks == "sales":
        figures.add("it", "requests_from_sales")
        figures.add("sales", "requests_to_it")
    yield thing.tells(RequestMade(
        kind="it_support", on=day, from_department=asks, to_department="it",
        from_member=asker.member if asks == "sales" else None,
    ))  # fmt: skip
    yield thing.tells(RequestPromised(on=day, by=promised))
    again = chance.random() < 0.1
    for _ in range(1 + again):
        done = later(day, chance, 14)
        figures.add("it", "requests_resolved")
        seconds = (done - day).days * DAY_SECONDS
        yield thing.tells(RequestResolved(on=done, seconds=seconds, on_time=done <= promised))
        if again:
            again, day = False, later(done, chance, 5)
            figures.add("it", "reopened")
            yield thing.tells(RequestReopened(on=day))
