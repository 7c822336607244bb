"""Team North of the specification: its work in a quarter, event by event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import count
from typing import Any

from services.metrics.review.inputs import (
    Action,
    CheckIn,
    Deal,
    Duty,
    Inputs,
    Item,
    Meeting,
    Member,
    Request,
)  # fmt: skip
from services.metrics.review.measure import Survey

START, END = date(2026, 1, 5), date(2026, 4, 6)
NORTH = "ABCDEF"
ITEMS = "B>A 3, C>A 3, D>A 2, E>A 2, F>A 1, A>B 1, B>C 1, C>B 2"
ACTIONS = "B>C 2, C>B 1, D>A 1, A>D 1"
CHECK_INS = "A>B 6, A>C 4, A>D 4, A>E 2, B>A 6, C>A 3, D>A 2, B>C 3, C>B 3"
REQUESTS = {"B>M1": (3, 1, 0), "C>M1": (1, 0, 2), "D>V1": (2, 1, 2), "E>V2": (0, 0, 2), "F>M2": (0, 0, 1),
            "V1>A": (2, 0, 0)}  # fmt: skip
OF = {"M1": "marketing", "M2": "marketing", "V1": "delivery", "V2": "delivery"}


def north(**other: Any) -> Inputs:
    """All of North's work, with whatever differs."""
    fields: dict[str, Any] = {
        "team": "north", "department": "sales", "leader": "A", "start": START, "end": END, "asked": END,
        "members": tuple(member(each) for each in NORTH),
        "partners": tuple(Member(id=each, department=of) for each, of in OF.items()),
        "meetings": meetings(), "items": items(), "actions": actions(), "check_ins": check_ins(),
        "requests": requests(),
        "surveys": {"communication": Survey(3.0, 0.8, 6, 6), "cooperation": Survey(4.1, 0.7, 6, 6)},
    }  # fmt: skip
    return Inputs(**fields | other)


def member(name: str, **other: Any) -> Member:
    fields: dict[str, Any] = {"id": name, "department": "sales", "starts_on": START, "spells": ((START, None),)}
    return Member(**fields | other)


def meetings() -> tuple[Meeting, ...]:
    """Six with {A,B,C,D,E}, two with all six, two with {A,B,C,D}."""
    there = ["ABCDE"] * 6 + ["ABCDEF"] * 2 + ["ABCD"] * 2
    return tuple(
        Meeting(id=f"m{index}", on=START + timedelta(days=7 * index), minutes=60, invited=frozenset(NORTH),
                attended=frozenset(names))
        for index, names in enumerate(there)
    )  # fmt: skip


def items() -> tuple[Item, ...]:
    """Fifteen that were resolved, one of them late, and two that are open."""
    numbers = count()
    found = [
        Item(id=f"i{(at := next(numbers))}", raised_by=raiser, raised_on=(on := START + timedelta(days=at)),
             resolved_by=(resolver,), resolved_on=on + timedelta(days=20 if at == 14 else 7))
        for raiser, resolver in said(ITEMS)
    ]  # fmt: skip
    return (
        *found,
        *(Item(id=f"open{each}", raised_by="E", raised_on=START + timedelta(days=30 + each)) for each in (0, 1)),
    )


def actions() -> tuple[Action, ...]:
    """Five with helpers and sixteen without; three of all were late."""
    helped = said(ACTIONS)
    owners = [owner for owner, _ in helped] + list("BBBBBBCCCCCCDDDE")
    return tuple(
        Action(id=f"a{at}", owner=owner, due=(due := START + timedelta(days=10 + at)),
               done_on=due + timedelta(days=5 if at in (0, 7, 12) else -1),
               helpers=(helped[at][1],) if at < len(helped) else ())
        for at, owner in enumerate(owners)
    )  # fmt: skip


def check_ins() -> tuple[CheckIn, ...]:
    return tuple(
        CheckIn(id=f"c{at}", giver=giver, receiver=receiver, on=START + timedelta(days=at))
        for at, (giver, receiver) in enumerate(said(CHECK_INS))
    )


def requests() -> tuple[Request, ...]:
    found: list[Request] = []
    for pair, (on_time, late, unresolved) in REQUESTS.items():
        asks, answers = pair.split(">")
        for answer in (True,) * on_time + (False,) * late + (None,) * unresolved:
            found.append(request(f"r{len(found)}", asks, answers, answer))
    return tuple(found)


def request(name: str, asks: str, answers: str, on_time: bool | None) -> Request:
    promised = START + timedelta(days=20)
    resolved = None if on_time is None else promised + timedelta(days=-1 if on_time else 4)
    return Request(
        id=name, asked_on=START, from_member=asks, to_member=answers, from_department=OF.get(asks, "sales"),
        to_department=OF.get(answers, "sales"), promised_by=promised, resolved_on=resolved, on_time=on_time,
    )  # fmt: skip


def said(text: str) -> list[tuple[str, str]]:
    """`B>A 3` three times."""
    found: list[tuple[str, str]] = []
    for each in text.split(", "):
        pair, times = each.split(" ")
        one, other = pair.split(">")
        found += [(one, other)] * int(times)
    return found


def duties(goals: int, all_of_them: int) -> tuple[Duty, ...]:
    return tuple(
        Duty(id=f"d{at}", owner="B", assigned_on=START, goal="g" if at < goals else None) for at in range(all_of_them)
    )


def deals(member: str, total: float, times: int) -> tuple[Deal, ...]:
    return tuple(
        Deal(id=f"{member}{at}", closed_on=START, won=True, owner=member, amount=total / times,
             credits=((member, total / times),))
        for at in range(times)
    )  # fmt: skip


def rounded(values: Iterable[float | None], digits: int = 1) -> list[float | None]:
    return [None if each is None else round(each, digits) for each in values]


def renamed(inputs: Inputs, names: Mapping[str, str]) -> Inputs:
    """The same work, of people and things that are called otherwise."""

    def of(value: Any) -> Any:
        if isinstance(value, str):
            return names.get(value, value)
        if isinstance(value, tuple | frozenset):
            return type(value)(of(each) for each in value)
        if hasattr(value, "__dataclass_fields__"):
            return replace(value, **{each.name: of(getattr(value, each.name)) for each in fields(value)})
        return value

    things = ("members", "partners", "meetings", "items", "actions", "requests", "check_ins", "duties", "deals")
    found: dict[str, Any] = {name: of(getattr(inputs, name)) for name in things}
    return replace(inputs, **found)
