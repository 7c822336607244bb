"""How the demo company looks after its people: who is sought, comes and leaves, what they work with and can do, when
they are away, what they are thanked for, and what they have to bear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from concert.imports.plan import Plan, day, person_id, slug

JOB: Final = "Account manager"
NEWCOMER: Final = ("Nora Falk", "finance", 12)
"""Who has come so many days ago, and waits for a laptop."""
FORMER: Final = (("Gero Lamm", "it", 330, "career"), ("Heidi Orth", "accounting", 250, "relocation"),
                 ("Ingo Pahl", "hr", 170, "retirement"), ("Jana Roos", "finance", 90, "career"),
                 ("Kuno Sieg", "it", 10, "workload"))  # fmt: skip
"""Who has left, so many days ago, and why; the last of them has not given their laptop back."""
SKILLS: Final = (("Negotiation", ((0, 3), (12, 4))), ("Product knowledge", ((0, 3),)))
"""What the job of who sells needs: from which of the months on, at which level."""
TAUGHT: Final = ("North", "West", "East")
"""The teams that took a course in the product."""
EVERY_MONTHS: Final = 3
BORNE: Final = (("rejection", 1), ("lost_deal", 2), ("mistreatment", 3), ("rejection", 2), ("complaint", 2),
                ("mistreatment", 2))  # fmt: skip
"""What six of those who sell have to bear in a month, and how heavy it is."""
ASKED: Final = 12
SAID: Final = ("4.5", "4", "5", "3.5", "4.5", "4")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who works here, each with their first day."""

    months: Sequence[date]
    today: date
    quarter: date
    """The first day of the quarter of today."""
    sellers: Mapping[str, date]
    others: Mapping[str, date]
    teams: Mapping[str, str]
    """By who sells the team they are in."""
    customers: Sequence[str]

    @property
    def everybody(self) -> Mapping[str, date]:
        """All of them."""
        return {**self.sellers, **self.others}

    def here(self, on: date) -> list[str]:
        """Who sells on a day."""
        return [name for name, joined in self.sellers.items() if joined <= on]

    def left_on(self, days_ago: int) -> date:
        """A day so long ago; one of this quarter stays in it, however young it is."""
        on = self.today - timedelta(days=days_ago)
        return max(on, self.quarter) if days_ago < 31 else on


def plan_people(plan: Plan, staff: Staff) -> None:
    """All that is told of the company's people beside where they belong."""
    _come_and_go(plan, staff)
    _skills(plan, staff)
    _course(plan, staff)
    _absences(plan, staff)
    _openings(plan, staff)
    _equipment(plan, staff)
    _setbacks(plan, staff)
    _thanks_and_opinions(plan, staff)
    _content(plan, staff)


def _come_and_go(plan: Plan, staff: Staff) -> None:
    name, department, days = NEWCOMER
    _hired(plan, name, department, staff.today - timedelta(days=days))
    for name, department, days, why in FORMER:
        _hired(plan, name, department, staff.months[0])
        on = day(staff.left_on(days))
        plan.step("members").add({"do": "leave", "member": _who(plan, name), "on": on, "why": why})


def _hired(plan: Plan, name: str, department: str, starts_on: date) -> None:
    body = {"external": plan.external(person_id(name)), "name": name, "department": department}
    plan.step("members").add(body | {"starts_on": day(starts_on)})


def _skills(plan: Plan, staff: Staff) -> None:
    for skill, levels in SKILLS:
        ref = plan.ref(slug(skill))
        needs = [{"do": "need", "skill": ref, "job": JOB, "level": level, "on": day(staff.months[month])}
                 for month, level in levels]  # fmt: skip
        plan.step("skills").add({"external": plan.external(slug(skill)), "name": skill}, *needs)
    assessed = plan.step("what they can do", "skills")
    for place, (name, joined) in enumerate(staff.sellers.items()):
        for at, (skill, _) in enumerate(SKILLS):
            found = {"do": "assess", "skill": plan.ref(slug(skill)), "member": _who(plan, name)}
            later = joined + timedelta(days=60)
            assessed.add(found | {"level": 2 + (place + at) % 2, "on": day(joined)})
            if (place + at) % 2 and later <= staff.today:
                assessed.add(found | {"level": 4, "on": day(later)})


def _course(plan: Plan, staff: Staff) -> None:
    """Five months ago some teams learnt to explain the product, and others did not; what it did is known by now."""
    course, first = plan.ref("explaining"), staff.months[-5]
    taught = {"name": "Explaining the Gateway", "trains": "product", "cost": {"amount": "180.00", "currency": "EUR"}}
    skill = plan.ref(slug(SKILLS[1][0]))
    plan.step("courses").add({"external": plan.external("explaining"), "skill": skill, "level": 3, **taught})
    for name in (each for each in staff.here(first) if staff.teams[each] in TAUGHT):
        ref = f"explaining-{person_id(name)}"
        training = {"external": plan.external(ref), "member": _who(plan, name), "course": course, "on": day(first)}
        done = {"do": "complete", "training": plan.ref(ref), "score_before": 40, "score_after": 75, "feedback": 4,
                "on": day(first + timedelta(days=14))}  # fmt: skip
        plan.step("trainings").add(training, done)


def _absences(plan: Plan, staff: Staff) -> None:
    for place, (name, joined) in enumerate(staff.everybody.items()):
        for month in range(1, len(staff.months), EVERY_MONTHS):
            start = staff.months[month] + timedelta(days=5 * place % 21)
            if joined <= start <= staff.today:
                away = {"external": plan.external(f"away-{person_id(name)}-{day(start)}"), "member": _who(plan, name),
                        "from": day(start), "to": day(start + timedelta(days=5)), "kind": "holiday"}  # fmt: skip
                plan.step("absences").add(away)


def _openings(plan: Plan, staff: Staff) -> None:
    first = staff.months[0]
    came = {name: joined for name, joined in staff.sellers.items() if joined > first}
    for name, joined in came.items():
        asked = joined - timedelta(days=45)
        found = {"do": "fill", "member": _who(plan, name), "on": day(joined)}
        _opening(plan, f"opening-{slug(name)}", JOB, {"team": plan.ref(slug(staff.teams[name]))}, asked, found)
    name, department, days = NEWCOMER
    found = {"do": "fill", "member": _who(plan, name), "on": day(staff.today - timedelta(days=days))}
    asked = staff.today - timedelta(days=days + 31)
    _opening(plan, "opening-controller", "Controller", {"department": department}, asked, found)
    _opening(plan, "opening-prague", JOB, {"team": plan.ref("prague")}, staff.today - timedelta(days=20))
    begun = {"external": plan.external("onboarding"), "member": _who(plan, name), "equipment": ["laptop"]}
    buddy = _who(plan, next(iter(staff.others)))
    plan.step("onboardings").add(begun | {"buddy": buddy, "tasks": [{"title": "Close a month with accounting"}]})


def _opening(plan: Plan, name: str, job: str, where: dict[str, str], on: date, *filled: dict[str, str]) -> None:
    ref = plan.ref(name)
    asked = {"external": plan.external(name), "title": f"{job} wanted", "job": job, "on": day(on), **where}
    approved = {"do": "approve", "opening": ref, "on": day(on + timedelta(days=4))}
    plan.step("openings").add(asked, approved, *({**each, "opening": ref} for each in filled))


def _equipment(plan: Plan, staff: Staff) -> None:
    have = [*staff.everybody.items(), *((name, staff.months[0]) for name, *_ in FORMER)]
    for name, since in have:
        ref = f"laptop-{person_id(name)}"
        issued = {"do": "issue", "equipment": plan.ref(ref), "member": _who(plan, name), "on": day(since)}
        back = [{"do": "return", "equipment": plan.ref(ref), "on": day(staff.left_on(days))}
                for former, _, days, _ in FORMER[:-1] if former == name]  # fmt: skip
        plan.step("equipment").add({"external": plan.external(ref), "kind": "laptop"}, issued, *back)


def _setbacks(plan: Plan, staff: Staff) -> None:
    for month, place, name, on in _of_each_month(staff, len(BORNE)):
        kind, severity = BORNE[place]
        ref = f"setback-{day(staff.months[month])}-{place}"
        customer = staff.customers[(month * len(BORNE) + place) % len(staff.customers)]
        borne = {"external": plan.external(ref), "member": _who(plan, name), "kind": kind, "severity": severity,
                 "customer": plan.ref(slug(customer)), "at": f"{on}T10:00:00Z"}  # fmt: skip
        plan.step("setbacks").add(borne, *_followed_up(plan.ref(ref), kind, on, staff.today))


def _followed_up(ref: str, kind: str, on: date, today: date) -> Iterator[dict[str, object]]:
    """What is done about it: where a customer was rude they are visited together; after a month it is over."""
    due = on + timedelta(days=10)
    if kind == "mistreatment":
        yield {"do": "follow-up", "setback": ref, "option": "accompany", "due": day(due)}
        if due <= today:
            yield {"do": "followed-up", "setback": ref, "follow_up": "follow-up-1", "on": day(due)}
    if on + timedelta(days=30) <= today:
        yield {"do": "close", "setback": ref, "on": day(on + timedelta(days=30))}


def _thanks_and_opinions(plan: Plan, staff: Staff) -> None:
    for month, place, name, on in _of_each_month(staff, 2):
        others = [each for each in staff.here(on) if each != name]
        thanks = {"external": plan.external(f"thanks-{day(staff.months[month])}-{place}"), "to": [_who(plan, name)],
                  "by": _who(plan, others[month % len(others)]), "about": {"kind": "other"}, "on": day(on),
                  "note": "Stayed until the customer could work again"}  # fmt: skip
        plan.step("recognitions").add(thanks)
    for month, first in enumerate(staff.months):
        rated = {"external": plan.external(f"rating-{day(first)}"), "kind": "rating", "source": "portal",
                 "score": SAID[month % len(SAID)], "on": day(first)}  # fmt: skip
        plan.step("reputation").add(rated)
        if month % EVERY_MONTHS == 2:
            complaint = {"external": plan.external(f"complaint-{day(first)}"), "kind": "complaint", "on": day(first)}
            plan.step("reputation").add(complaint | {"source": "portal"})


def _content(plan: Plan, staff: Staff) -> None:
    """Two customers are asked every week how content they are with who looks after them."""
    for place, name in enumerate(staff.here(staff.months[0])[:2]):
        customer = plan.ref(slug(staff.customers[place]))
        for week in range(ASKED):
            on = day(staff.today - timedelta(days=7 * week + place))
            answer = {"external": plan.external(f"content-{place}-{week}"), "customer": customer, "on": on,
                      "member": _who(plan, name), "score": 5 - (week + place) % 3}  # fmt: skip
            plan.step("feedback").add(answer)


def _of_each_month(staff: Staff, many: int) -> Iterator[tuple[int, int, str, date]]:
    """So many of those who sell in each month, one after the other, each with a day of it that has come."""
    for month, first in enumerate(staff.months):
        for place in range(many):
            on = first + timedelta(days=4 * place)
            here = staff.here(on)
            if on <= staff.today:
                yield month, place, here[(month * many + place) % len(here)], on


def _who(plan: Plan, name: str) -> str:
    return plan.ref(person_id(name))
