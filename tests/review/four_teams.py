"""The four teams of the specification, North, South, West and East, with their quarters, as what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from services.metrics.review.inputs import Action, Answer, Deal, Duty, Inputs, Item, Request
from shared.events.goals import GoalSet, ReadingTaken
from shared.events.peers import PeerRoundClosed, PeerRoundOpened, PeersRated
from shared.events.support import SetbackReported
from shared.events.targets import RoleWeightsSet
from shared.events.teams import AbsenceNoted, MemberJoined, PersonDescribed
from shared.period import Period
from tests.review.north import END, NORTH, OF, START, duties, north
from tests.review.told import Lives, aimed, asked, euros, recruited, team_of, trained, work_of

QUARTER = timedelta(days=91)
COURSE = "teamwork"
COMMUNICATION = {"communication": (5, 60, 754)}
"""Sums of five answers of four questions each: mean 3.0, and the deviation that gives 50 ± 13.4."""
COOPERATION = {"cooperation": (5, 82, 1370), "T2": (5, 20, 82)}
"""Mean 4.1."""
WORK = ("meetings", "items", "actions", "requests", "check_ins", "duties", "deals", "answers")
DAYS = ("on", "raised_on", "resolved_on", "due", "done_on", "asked_on", "promised_by", "closed_on", "assigned_on",
        "agreed_on", "accepted_on")  # fmt: skip


def moved(inputs: Inputs, by: timedelta, mark: str) -> Inputs:
    """The same work on other days, as other things."""

    def thing(each: Any) -> Any:
        dated = {name: getattr(each, name) + by for name in DAYS if getattr(each, name, None) is not None}
        more = {"meeting": f"{each.meeting}{mark}"} if getattr(each, "meeting", None) else {}
        return replace(each, id=f"{each.id}{mark}", **dated, **more)

    work: dict[str, Any] = {name: tuple(thing(each) for each in getattr(inputs, name)) for name in WORK}
    return replace(inputs, **work)


# -- North --------------------------------------------------------------------------------------------------------


def of_north() -> Lives:
    """The whole history of North and of those it works with: two quarters of work, goals, targets, money, trainings."""
    named = Period.between(START, END)
    found = team_of("north", NORTH, "A", region="coast", F=START)
    found |= {
        "member/F": [*recruited("F", "sales", START, ["0.4"] * 4)["member/F"], MemberJoined(team="north", on=START)]
    }
    found |= {"absence/f": [AbsenceNoted(member="F", on=START, until=END, share="0.08")]}
    for each, department in OF.items():
        found |= recruited(each, department)
    found |= team_of("elsewhere", ["Z"], "Z")
    now = _with_goals(replace(north(), duties=duties(31, 31), deals=_sold(), answers=_answers()))
    found |= work_of(moved(north(), -QUARTER, "-before")) | work_of(now)
    for name, end in (("before", START), ("now", END)):
        closes = end - timedelta(days=3)
        found |= asked(f"north-{name}", "north", closes - timedelta(days=7), closes, COMMUNICATION | COOPERATION, of=6)
    found |= _aims(named) | _taught() | _shaken() | _rated()
    role = ("source", "discovery", "demo", "close", "handover")
    filled = tuple(zip(role, (("B",), ("B",), ("A", "C"), ("B",), ("E",)), strict=True))
    shared = Deal(id="shared", closed_on=END + timedelta(days=7), won=True, owner="B", amount=40_000,
                  credits=(("B", 40_000.0),), roles=filled)  # fmt: skip
    agreed = RoleWeightsSet(since=END + QUARTER, weights={"source": "0.5", "close": "0.5"})
    found["role_weights/halves"] = [agreed]
    later = replace(shared, id="weighed-anew", closed_on=END + QUARTER,
                    roles=(("source", ("B",)), ("close", ("A", "C"))))  # fmt: skip
    after: dict[str, Any] = {"deals": (shared, later), "duties": _promised()}
    return found | work_of(Inputs(team="north", department="sales", start=END, end=END, asked=END, **after))


def _promised() -> tuple[Duty, ...]:
    """44 duties of B in the quarter after, of which 41 were done in time and accepted: one was done too late, one was
    never accepted and one never done."""
    found = []
    for at in range(44):
        due = END + timedelta(days=7 + at)
        done = None if at == 43 else due + timedelta(days=1) if at == 42 else due
        accepted = None if done is None or at == 41 else done + timedelta(days=at % 3)
        found.append(Duty(id=f"promise{at}", owner="B", assigned_on=END, due=due, done_on=done, accepted_on=accepted))
    return tuple(found)


def _rated() -> Lives:
    """What the six of North say of each other: of B five say 4.2 in the mean, of the others 4.0."""
    closes, found = END - timedelta(days=3), Lives()
    opened = PeerRoundOpened(team="north", department="sales", opens_on=END - timedelta(days=20), closes_on=closes)
    found["peer_round/mates"] = [opened, PeerRoundClosed(on=closes, asked=6, rated=6)]
    for each in NORTH:
        token = "somebody" if each == "B" else f"token-of-{each}"
        found[f"person/{each}"] = [PersonDescribed(name=each, token=token)]
        total, squares = (63, 795) if each == "B" else (60, 720)
        found[f"peer_score/{each}"] = [
            PeersRated(round="mates", team="north", person=token, on=closes, n=5, total=total, squares=squares)
        ]
    return found


def _with_goals(inputs: Inputs) -> Inputs:
    """Ten of its actions serve the goal too: with 31 duties 41 of 52."""
    actions = tuple(replace(each, goal="revenue" if at < 10 else None) for at, each in enumerate(inputs.actions))
    return replace(inputs, actions=actions, duties=tuple(replace(each, goal="revenue") for each in inputs.duties))


def _sold() -> tuple[Deal, ...]:
    """1.2 million in 37 deals, of which B has 118,000 in eleven and F 31,000 in four."""
    found: list[Deal] = []
    for member, total, times in (("A", "480000", 8), ("B", "118000", 11), ("C", "400000", 8), ("D", "120000", 3),
                                 ("E", "51000", 3), ("F", "31000", 4)):  # fmt: skip
        part = (Decimal(total) / times).quantize(Decimal("0.01"))
        for at in range(times):
            amount = float(part if at else Decimal(total) - part * (times - 1))
            found.append(Deal(id=f"{member}{at}", closed_on=START + timedelta(days=3 + 7 * at), won=True, owner=member,
                              amount=amount, credits=((member, amount),)))  # fmt: skip
    return tuple(found)


def _answers() -> tuple[Answer, ...]:
    return tuple(
        Answer(id=f"csat{at}", on=START + timedelta(days=at), score=5 if at < 26 else 3, member="B", recommends=9)
        for at in range(32)
    )


def _aims(days: Period) -> Lives:
    """The goals of the organisation, and who aims at what."""
    goals = {"revenue": ("0.5", "revenue"), "customers": ("0.3", "customers_won"), "new": ("0.2", "deals_won")}
    found: Lives = {"goal/all": [GoalSet(level="organisation", period=days, weight="1")]}
    for name, (weight, metric) in goals.items():
        found[f"goal/{name}"] = [GoalSet(level="organisation", period=days, weight=weight, metric=metric, parent="all")]
    found |= aimed("whole", "organisation", None, days, euros(8_000_000), goal="revenue")
    found |= aimed("part", "team", "north", days, euros(1_400_000), goal="revenue", parent="whole")
    found |= aimed("won", "organisation", None, days, "39", metric="customers_won", goal="customers")
    found |= aimed("won-part", "team", "north", days, "37", metric="customers_won", goal="customers", parent="won")
    found |= aimed("calls", "team", "north", days, "500", metric="activities")
    # With the market of the coast at 0.95: 1,200,000 of 1,395,348.84 is 86 %.
    quotas = {"A": "500000", "B": "110000", "C": "450000", "D": "250000", "E": "118308.25", "F": "110000"}
    for member, quota in quotas.items():
        found |= aimed(f"quota-{member}", "member", member, days, euros(quota))
    elsewhere = tuple(
        Deal(id=f"else{at}", closed_on=START + timedelta(days=at), won=True, owner="Z", amount=2_840_000,
             credits=(("Z", 2_840_000.0),))
        for at in range(2)
    )  # fmt: skip
    blank = Inputs(team="elsewhere", department="sales", start=START, end=END, asked=END, deals=elsewhere)
    return found | work_of(blank)


def _taught() -> Lives:
    """A and B have passed, F has not taken it."""
    found: Lives = {}
    for member, score in (("A", 80), ("B", 75), ("F", None)):
        found |= trained(f"north-{member}", member, COURSE, START + timedelta(days=1), score)
    return found


def _shaken() -> Lives:
    """Three setbacks of B, who usually does 42 things in ten working days, and then 36, 44 and 30."""
    found: Lives = {}
    setbacks = (date(2026, 1, 19), date(2026, 2, 17), date(2026, 3, 18))
    for place, on in enumerate(setbacks):
        found[f"setback/{place}"] = [
            SetbackReported(person="somebody", kind="rejection", severity=2, on=on, department="sales", team="north")
        ]
    day, left, pace = date(2025, 9, 1), 0, "4.2"
    while day < END:
        if day.weekday() < 5:
            pace = pace if left else "4.2"
            left = max(0, left - 1)
            found[f"reading/{day}"] = [
                ReadingTaken(metric="activities", level="member", ref="B", on=day, value=pace, member="B", team="north")
            ]
            if day in setbacks:
                left, pace = 10, ("3.6", "4.4", "3.0")[setbacks.index(day)]
        day += timedelta(days=1)
    return found


# -- teams of which only shares are told ----------------------------------------------------------------------------


def shares(
    team: str, start: date, *, kept: tuple[int, int], items: tuple[int, int], actions: tuple[int, int], more: int = 0
) -> Inputs:
    """A team's quarter by shares: requests kept of all, items resolved of all, actions done of all.

    Its first two members are answered, the third never is; `more` of its items are about another department, whose
    people resolve them.
    """
    one, two, three = (f"{team}-{each}" for each in "abc")
    numbers, end = count(), start + QUARTER
    first = kept[0] - kept[0] // 2
    requests = [
        *(_request(team, next(numbers), start, one, "x1", kept=True) for _ in range(first)),
        *(_request(team, next(numbers), start, two, "x2", kept=True) for _ in range(kept[0] - first)),
        *(_request(team, next(numbers), start, three, "x3", kept=False) for _ in range(kept[1] - kept[0])),
    ]
    found = []
    for at in range(items[1]):
        raiser, other = f"{team}-{'abcd'[at % 4]}", f"{team}-{'bcda'[at % 4]}"
        about = at < more
        done = at < items[0]
        on = start + timedelta(days=at)
        found.append(Item(id=f"{team}-i{at}", raised_by=one if about else raiser, raised_on=on,
                          about="support" if about else None, resolved_on=on + timedelta(days=7) if done else None,
                          resolved_by=(("x1" if about else other,) if done else ())))  # fmt: skip
    agreed = tuple(
        Action(id=f"{team}-a{at}", owner=f"{team}-{'abcde'[at % 5]}", due=(due := start + timedelta(days=10 + at)),
               done_on=due if at < actions[0] else None, goal="aim" if at % 5 else None)
        for at in range(actions[1])
    )  # fmt: skip
    return Inputs(team=team, department="sales", start=start, end=end, asked=end, requests=tuple(requests),
                  items=tuple(found), actions=agreed)  # fmt: skip


def _request(team: str, at: int, start: date, asks: str, answers: str, *, kept: bool) -> Request:
    promised = start + timedelta(days=20)
    return Request(
        id=f"{team}-r{at}", asked_on=start, from_department="sales", to_department="support", from_member=asks,
        to_member=answers, promised_by=promised, resolved_on=promised if kept else None, on_time=True if kept else None,
    )  # fmt: skip


def others() -> Lives:
    """Those whom these teams ask."""
    found: Lives = {}
    for each in ("x1", "x2", "x3"):
        found |= recruited(each, "support")
    return found


def quarters(team: str, members: int, told: Iterable[tuple[Inputs, dict[str, tuple[int, int, int]]]]) -> Lives:
    """A team and its quarters: the work and the sums of the pulse at the end of each."""
    people = [f"{team}-{each}" for each in "abcdefg"[:members]]
    found = team_of(team, people, people[0])
    for place, (inputs, sums) in enumerate(told):
        mark, closes = f"-{place}", inputs.end - timedelta(days=3)
        found |= work_of(moved(inputs, timedelta(), mark))
        found |= asked(f"{team}{mark}", team, closes - timedelta(days=7), closes, sums, of=members)
    return found


def scales(communication: tuple[int, int], cooperation: tuple[int, int]) -> dict[str, tuple[int, int, int]]:
    """Answers of so many who add up to so much: as alike as can be."""
    found = {}
    for name, (n, total) in (("communication", communication), ("cooperation", cooperation)):
        low, extra = divmod(total, n)
        found[name] = (n, total, (n - extra) * low * low + extra * (low + 1) * (low + 1))
    return found


SOUTH: dict[str, Any] = {"kept": (14, 17), "items": (8, 19), "actions": (9, 22), "more": 1}
WELL: dict[str, Any] = {"kept": (14, 17), "items": (14, 17), "actions": (18, 21)}


def of_south(team: str, start: date, *, healthy_before: bool, trained_members: int) -> Lives:
    """Three quarters of South, of which the last two were as told."""
    said = scales((7, 109), (7, 86))
    first = shares(team, start - 2 * QUARTER, **(WELL if healthy_before else SOUTH))
    told = [(first, scales((7, 109), (7, 110)) if healthy_before else said)]
    told += [(shares(team, start - QUARTER, **SOUTH), said), (shares(team, start, **SOUTH), said)]
    found = quarters(team, 7, told)
    for at, each in enumerate("abcdefg"[:trained_members]):
        found |= trained(f"{team}-{at}", f"{team}-{each}", COURSE, start - timedelta(days=60), 85)
    return found


def of_west(team: str, start: date) -> Lives:
    """A quarter of West: nothing is weak, 99 % of what could be expected."""
    inputs = replace(
        shares(team, start, **WELL),
        deals=tuple(Deal(id=f"{team}-d{at}", closed_on=start + timedelta(days=at), won=True, owner=f"{team}-a",
                         amount=9_900, credits=((f"{team}-a", 9_900.0),)) for at in range(10)),
        answers=tuple(Answer(id=f"{team}-s{at}", on=start, score=5 if at < 27 else 2) for at in range(30)),
    )  # fmt: skip
    found = quarters(team, 6, [(inputs, scales((5, 76), (5, 78)))])
    days = Period.between(start, start + QUARTER)
    return found | aimed(f"{team}-quota", "member", f"{team}-a", days, euros(100_000))


def of_east(start: date) -> Lives:
    """The region of East: four teams that communicate and work together, and none reaches its target."""
    found: Lives = {}
    for team in ("east", "east-2", "east-3", "east-4"):
        told = []
        for begins in (start - QUARTER, start):
            sold = tuple(
                Deal(id=f"{team}-d{at}", closed_on=begins + timedelta(days=at), won=True, owner=f"{team}-a",
                     amount=9_000, credits=((f"{team}-a", 9_000.0),))
                for at in range(10)
            )  # fmt: skip
            told.append((replace(shares(team, begins, **WELL), deals=sold), scales((5, 76), (5, 78))))
        found |= quarters(team, 6, told)
        for place, begins in enumerate((start - QUARTER, start)):
            days = Period.between(begins, begins + QUARTER)
            found |= aimed(f"{team}-{place}", "team", team, days, euros(100_000))
    return found


# -- before and after -----------------------------------------------------------------------------------------------

TRIAL = {"tried": ((61, 33, 47), (79, 53, 66)), "untried": ((74, 50, 62), (77, 53, 65))}
"""By team the shares of requests answered on time, before and after: six weeks of the first, six of the second, one of
the last. North's 47 (deviation 14) and 66 (13), West's 62 (12) and 65 (12)."""
EARLIER = {"tried": 50, "untried": 58, "third": 67, "fourth": 53}
"""The shares of the quarter before: with the next, of which the mean is 63, they correlate by 0.6."""
ALSO = {"third": 71, "fourth": 72}
ALIKE: dict[str, Any] = {
    **{f"tried-{each}": ((60, 30, 45), (80, 50, 65)) for each in (2, 3, 4)},
    **{f"untried-{each}": ((70, 50, 60), (75, 55, 65)) for each in (2, 3, 4)},
}
"""Three more teams that act and three that do not, whose weeks differ about as much: of twenty requests each."""


def of_trial(starts: date) -> Lives:
    """Two teams of which one acts on a day, thirteen weeks before it and after it; and two by which it is known what
    lies between two quarters anyway."""
    found: Lives = {}
    for team in EARLIER:
        found |= team_of(team, [f"{team}-a"], f"{team}-a")
        weeks = [percent for high, low, middle in TRIAL.get(team, ()) for percent in (*(high, low) * 6, middle)]
        shares = [(starts + timedelta(weeks=week - 13), percent) for week, percent in enumerate(weeks)]
        shares += [(starts - timedelta(weeks=14), EARLIER[team])]
        shares += [(starts - timedelta(weeks=1), ALSO[team])] if team in ALSO else []
        found |= _requests_of(team, starts, shares, 100)
    for team, before_and_after in ALIKE.items():
        found |= team_of(team, [f"{team}-a"], f"{team}-a")
        weeks = [percent for high, low, middle in before_and_after for percent in (*(high, low) * 6, middle)]
        shares = [(starts + timedelta(weeks=week - 13), percent) for week, percent in enumerate(weeks)]
        found |= _requests_of(team, starts, shares, 20)
    return found


def _requests_of(team: str, starts: date, shares: Iterable[tuple[date, int]], many: int) -> Lives:
    requests = tuple(each for day, percent in shares for each in _answered(team, day, percent, many))
    return work_of(Inputs(team=team, department="sales", start=starts, end=starts, asked=starts, requests=requests))


def _answered(team: str, day: date, percent: int, many: int) -> Iterator[Request]:
    for at in range(many):
        answered = at * 100 < percent * many
        yield Request(
            id=f"{team}-{day}-{at}", asked_on=day, from_department="sales", to_department="support",
            from_member=f"{team}-a", to_member="x1", promised_by=day + timedelta(days=3),
            resolved_on=day + timedelta(days=1) if answered else None, on_time=True if answered else None,
        )  # fmt: skip
