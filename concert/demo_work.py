"""How four teams of the demo company work together: a quarter of meetings, items, actions, requests and check-ins.

Written as the review's specification writes it: `B>A 3` are three items of B that A resolved. Each history leads to
another recommendation; `tests/journeys/test_demo_reviews.py` says to which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from concert.imports.plan import Plan, day, person_id, slug

MEETINGS: Final = 8
SETTLED: Final = 16
"""Days an item must be old before it counts, and two more."""
TEAMWORK: Final = "Working as one team"
PAIRS: Final = "AB AC AD AE BC BD BE CD CE DE"


@dataclass(frozen=True, slots=True)
class Work:
    """What a team did in a quarter, member by member in the order of the alphabet."""

    team: str
    items: str
    actions: str
    helped: str
    check_ins: str
    requests: Mapping[str, tuple[int, int, int]]
    """Who asks whom, and how often that is answered on time, late, and not at all."""
    late_items: int = 0
    open_items: int = 0
    late_actions: int = 0
    absent: Sequence[str] = ()
    """Who was missing, meeting by meeting."""
    answers: tuple[int, ...] = field(default=(4, 4, 4, 4, 4, 4, 4, 4))
    """To the questions C1 to C4 and T1 to T4; of two members the first of each is one less, or one more."""
    trained: int = 0


_EACH_OTHER: Final = "B>A 2, C>B 2, D>C 2, E>D 2, A>E 2, A>C 1, B>D 1, C>E 1, D>A 1, E>B 1"
_LOOKED_AFTER: Final = ", ".join(f"{pair[0]}>{pair[1]} 3" for pair in PAIRS.split())
_ASKED: Final = {"A>Y": (4, 1, 0), "B>Y": (3, 0, 0), "C>R": (3, 1, 0), "D>R": (3, 0, 0), "Y>E": (3, 0, 0)}
WORK: Final = (
    Work(
        "North", "B>A 3, C>A 3, D>A 2, E>A 2, A>B 1, B>C 1, C>B 2", "A1 B5 C5 D3 E2", "B>C 2, C>B 1, D>A 1, A>D 1",
        "A>B 6, A>C 4, A>D 4, A>E 2, B>A 6, C>A 3, D>A 2, B>C 3, C>B 3",
        {"B>R": (3, 1, 0), "C>R": (1, 0, 2), "D>Y": (2, 1, 2), "E>Z": (0, 0, 2), "F>S": (0, 0, 1), "C>Z": (0, 1, 1),
         "Y>A": (2, 0, 0)},
        late_items=1, open_items=1, late_actions=3, absent=("F", "F", "", "F", "EF", "F", "EF", ""),
        answers=(2, 3, 3, 3, 4, 4, 4, 4), trained=3,
    ),
    Work(
        "South", _EACH_OTHER, "A4 B4 C4 D4 E4", "A>B 1, C>D 1", _LOOKED_AFTER, _ASKED, late_items=7, open_items=3,
        late_actions=13, answers=(4, 4, 4, 4, 3, 4, 3, 3), trained=1,
    ),
    Work(
        "West", _EACH_OTHER, "A4 B4 C4 D4 E4", "A>B 1, B>C 1, C>D 1, D>E 1", _LOOKED_AFTER, _ASKED, late_items=1,
        open_items=1, late_actions=3, answers=(4, 4, 4, 4, 4, 4, 5, 4), trained=5,
    ),
    Work(
        "East", _EACH_OTHER, "A4 B4 C4 D4 E4", "A>C 1, B>D 1, C>E 1, D>A 1", _LOOKED_AFTER, _ASKED, late_items=1,
        open_items=1, late_actions=2, answers=(4, 4, 5, 4, 4, 4, 4, 4), trained=5,
    ),
)  # fmt: skip
OTHERS: Final = {"R": "Rita Sanz", "S": "Sven Thal", "Y": "Yara Zidan", "Z": "Zoe Adler"}


@dataclass(frozen=True, slots=True)
class Window:
    """The days in which it was done: the last whole months up to today."""

    start: date
    today: date

    @property
    def end(self) -> date:
        """The first day of the month after the one that runs: what is not yet over counts as far as it is."""
        return (self.today.replace(day=1) + timedelta(days=32)).replace(day=1)

    def on(self, place: int, of: int, *, before: int = 0) -> date:
        """A day of them, the one of this place among so many; the last ones are kept free."""
        days = (self.today - self.start).days - before
        return self.start + timedelta(days=days * place // max(of, 1))


def plan_work(plan: Plan, members: Mapping[str, Sequence[str]], window: Window, goal: str) -> None:
    """All that the four teams did."""
    plan.step("courses").add({"external": plan.external("teamwork"), "name": TEAMWORK})
    for work in WORK:
        who = {chr(ord("A") + place): name for place, name in enumerate(members[work.team])} | OTHERS
        told = _Told(plan, work, {letter: plan.ref(person_id(name)) for letter, name in who.items()}, window, goal)
        told.meetings()
        told.items()
        told.actions()
        told.requests()
        told.check_ins()
        told.trainings()


@dataclass(frozen=True, slots=True)
class _Told:
    """The work of one team as rows of a plan."""

    plan: Plan
    work: Work
    who: Mapping[str, str]
    window: Window
    goal: str

    @property
    def ours(self) -> list[str]:
        return [letter for letter in self.who if letter not in OTHERS]

    def name(self, kind: str, place: int) -> str:
        return f"{kind}-{slug(self.work.team)}-{place}"

    def meetings(self) -> None:
        for place in range(MEETINGS):
            name, on = self.name("meeting", place), self.window.on(place, MEETINGS)
            missing = self.work.absent[place] if place < len(self.work.absent) else ""
            there = [{"member": self.who[each], "status": "present"} for each in self.ours if each not in missing]
            ref = self.plan.ref(name)
            self.plan.step("meetings").add(
                {"external": self.plan.external(name), "name": f"{self.work.team}, weekly", "kind": "team",
                 "teams": [self.plan.ref(slug(self.work.team))], "starts_at": f"{on}T08:00:00Z", "minutes": 45},
                {"do": "start", "meeting": ref, "at": f"{on}T08:00:00Z"},
                {"do": "attendance", "meeting": ref, "entries": there},
                {"do": "end", "meeting": ref, "at": f"{on}T08:45:00Z"},
            )  # fmt: skip

    def items(self) -> None:
        pairs = list(_said(self.work.items))
        late = range(len(pairs) - self.work.late_items, len(pairs))
        many = len(pairs) + self.work.open_items
        for place in range(many):
            name, on = self.name("raised", place), self.window.on(place, many, before=SETTLED + 6)
            raiser, solver = pairs[place] if place < len(pairs) else (pairs[place % len(pairs)][0], "")
            item = {"external": self.plan.external(name), "kind": "problem", "title": "A quote waits for a price",
                    "series": self.plan.ref(f"weekly-{slug(self.work.team)}"), "raised_by": self.who[raiser],
                    "on": day(on)}  # fmt: skip
            done = on + timedelta(days=20 if place in late else 6)
            solved = [
                {"do": "resolve", "item": self.plan.ref(name), "on": day(done), "by": [self.who[each]]}
                for each in solver
            ]
            self.plan.step("items").add(item, *solved)

    def actions(self) -> None:
        helped = list(_said(self.work.helped))
        owners = [(owner, "") for part in self.work.actions.split() for owner in part[0] * int(part[1:])]
        for place, (owner, helper) in enumerate([*helped, *owners]):
            many = len(helped) + len(owners)
            name, due = self.name("action", place), self.window.on(place + 1, many + 2, before=8)
            late = place >= many - self.work.late_actions
            action = {"external": self.plan.external(name), "title": "Call the customer back", "owner": self.who[owner],
                      "due": day(due), "on": day(due - timedelta(days=7)),
                      "helpers": [self.who[helper]] if helper else []}  # fmt: skip
            action |= {"goal": self.goal} if place % 5 else {}
            done = due + timedelta(days=5 if late else -1)
            self.plan.step("actions").add(action, {"do": "done", "action": self.plan.ref(name), "on": day(done)})

    def requests(self) -> None:
        asked = [
            (pair.split(">"), answer)
            for pair, (on_time, late, never) in self.work.requests.items()
            for answer in ("on time",) * on_time + ("late",) * late + ("never",) * never
        ]
        for place, ((asks, answers), answer) in enumerate(asked):
            name, on = self.name("asked", place), self.window.on(place, len(asked), before=14)
            promised = on + timedelta(days=5)
            request = {"external": self.plan.external(name), "kind": "it_support" if answers in "YZ" else "pricing",
                       "title": "A customer waits for an answer", "at": f"{on}T09:00:00Z",
                       "from": {"member": self.who[asks]}, "to": {"member": self.who[answers]},
                       "promised_by": day(promised)}  # fmt: skip
            done = promised + timedelta(days=4 if answer == "late" else -2)
            solved = {"do": "resolve", "request": self.plan.ref(name), "at": f"{done}T16:00:00Z"}
            self.plan.step("requests").add(request, *([] if answer == "never" else [solved]))

    def check_ins(self) -> None:
        pairs = list(_said(self.work.check_ins))
        for place, (giver, receiver) in enumerate(pairs):
            self.plan.step("check-ins").add(
                {"external": self.plan.external(self.name("talk", place)), "from": self.who[giver],
                 "to": self.who[receiver], "kind": "offered_help", "on": day(self.window.on(place, len(pairs)))}
            )  # fmt: skip

    def trainings(self) -> None:
        for place, letter in enumerate(self.ours[: self.work.trained]):
            name = self.name("training", place)
            training = {"external": self.plan.external(name), "member": self.who[letter],
                        "course": self.plan.ref("teamwork"), "on": day(self.window.start)}  # fmt: skip
            done = {"do": "complete", "training": self.plan.ref(name), "score_before": 55, "score_after": 82,
                    "on": day(self.window.on(1, 3))}  # fmt: skip
            self.plan.step("trainings").add(training, done)


def answers_of(work: Work, members: int) -> Iterator[dict[str, int]]:
    """What each member answers to the eight questions: of two a little more and a little less, so that they differ."""
    items = [f"{scale}{number}" for scale in "CT" for number in range(1, 5)]
    for place in range(members):
        swing = {0: 1, 1: -1}.get(place, 0)
        yield {
            item: min(5, max(1, answer + (swing if item[1] == "1" else 0)))
            for item, answer in zip(items, work.answers, strict=True)
        }


def _said(text: str) -> Iterator[tuple[str, str]]:
    """`B>A 3` three times."""
    for each in text.split(", "):
        pair, times = each.split(" ")
        one, _, other = pair.partition(">")
        yield from [(one, other)] * int(times)
