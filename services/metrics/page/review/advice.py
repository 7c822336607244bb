"""The recommendation in plain words: task, evidence, next step, owner, date. What is weak, and by what that shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any, Final

from services.metrics.page.review.associations import called
from services.metrics.page.review.figures import Figure, Reader, tenths
from services.metrics.page.review.words import CLASSES, INDICES, SCALE, WEAKNESSES, listed, reason_of, times
from services.metrics.page.values import day_in_words, percent
from services.metrics.review.catalogue import MEASURES
from services.metrics.review.options import Catalogue

BUDDY_WEEKS: Final = 8
AGAIN_WEEKS: Final = 13


@dataclass(frozen=True, slots=True)
class Advice:
    """What is recommended, and everything that whoever carries it out needs to know."""

    title: str
    rule: str
    why: str
    task: str
    evidence: Sequence[str]
    steps: Sequence[str]
    owner: str
    until: date
    until_says: str
    besides: Sequence[str]
    missing: Sequence[str]
    note: str | None


@dataclass(frozen=True, slots=True)
class Weak:
    """A rule, what it says of the team, whom it is about, and the numbers that show it."""

    code: str
    name: str
    state: str
    confirmed: bool
    about: Sequence[str]
    shown_by: Sequence[Figure]
    says: Sequence[str]
    """What shows it besides."""


def advice_of(
    document: Mapping[str, Any], catalogue: Catalogue | None, names: Mapping[str, str], owner: str, made_on: date
) -> Advice:
    """What a document recommends."""
    said = document["recommendation"]
    named = said["option"]
    row = _row_of(document, named or "O0")
    options = {each.id: each for each in catalogue.options} if catalogue else {}
    known = {id: each.description for id, each in options.items()}
    weeks = AGAIN_WEEKS
    if named:
        parts = [options[each].weeks for each in named.split("+") if each in options]
        weeks = ceil(float(row["weeks"])) if row else ceil(max(parts, default=AGAIN_WEEKS))
    described = [known[each] for each in (named or "").split("+") if each in known]
    steps = list(row["descriptions"]) if row else described or _step_without_table(said["class"], known)
    return Advice(
        CLASSES[said["class"]], said["rule"], reason_of(said["rule"]), _task(document, names),
        _evidence(document), steps, owner, made_on + timedelta(weeks=weeks),
        "the first effect is due then" if named else "it is measured again then",
        _besides(document, known, names, made_on), said["missing"], _note(said, named),
    )  # fmt: skip


def weak_of(document: Mapping[str, Any], reader: Reader, names: Mapping[str, str]) -> list[Weak]:
    """Every rule that says something, the confirmed ones first."""
    found = []
    for code, each in document["weaknesses"].items():
        paths = [path.removeprefix("/team/") for path in each["shown_by"] if path.startswith("/team/")]
        shown = [reader.figure("/measures/team", id, document["measures"]["team"][id]) for id in paths]
        about = each["about"] if each["state"] != "healthy" else []
        named = [names.get(one, one) for one in about]
        found.append(Weak(code, WEAKNESSES[code], each["state"], each["confirmed"], named, shown, _shows(each, names)))
    order = ("weak", "watch", "healthy", "not enough data")
    return sorted(found, key=lambda each: (not each.confirmed, order.index(each.state), each.code))


def _shows(weakness: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """What shows a weakness beside measures."""
    hours, began = weakness.get("meeting_hours") or {}, weakness.get("began") or {}
    found = [f"{names.get(each, each)}: {tenths(much)} h in meetings" for each, much in hours.items()]
    found += [f"{names.get(each, each)} began on {day_in_words(date.fromisoformat(day))}"
              for each, day in began.items() if day]  # fmt: skip
    if weakness.get("working_hours"):
        found.append(f"{tenths(weakness['hours'])} of {tenths(weakness['working_hours'])} working hours in meetings")
    if weakness.get("overdue"):
        found.append(f"{times(weakness['overdue'], 'action')} overdue")
    if weakness.get("old_items"):
        found.append(f"{times(weakness['old_items'], 'item')} older than a fortnight and not resolved")
    if weakness.get("unlinked"):
        found.append(f"{times(weakness['unlinked'], 'duty or action', 'duties and actions')} without a goal")
    return found


def _row_of(document: Mapping[str, Any], option: str) -> Mapping[str, Any] | None:
    rows = (document["options"] or {"rows": []})["rows"]
    return next((each for each in rows if each["option"] == option), None)


def _step_without_table(kind: str, known: Mapping[str, str]) -> list[str]:
    if kind == "REVIEW TARGETS":
        return [known.get("O7", "Review targets, territories and ramps")]
    if kind == "NOT ENOUGH DATA":
        return ["Record what is missing, and review the period again"]
    if kind == "LOOK CLOSER":
        return ["Talk with the team about what stands in the way of its results"]
    return [known.get("O0", "No action; measure again next period")]


def _task(document: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What is to be reached, in the terms of the work."""
    said = document["recommendation"]
    match said["class"]:
        case "ENCOURAGE COMMUNICATION":
            return f"Bring those together between whom work needs a tie: {_missing_ties(document, names)}."
        case "REVIEW TARGETS":
            below = len(document["weaknesses"]["W-TGT"]["about"])
            return f"Set targets that can be reached: {times(below, 'team is', 'teams are')} below 95 %."
        case "NO ACTION" | "NOT ENOUGH DATA" | "LOOK CLOSER":
            return CLASSES[said["class"]] + "."
    if said["value"] is None:
        return CLASSES[said["class"]] + "."
    name = INDICES.get(said["measure"]) or MEASURES[said["measure"]].name
    return f"Raise {name[:1].lower()}{name[1:]} from {tenths(said['value'])} to {tenths(said['healthy'])} {SCALE}."


def _missing_ties(document: Mapping[str, Any], names: Mapping[str, str]) -> str:
    graph = document["associations"]
    if "needs" not in graph:
        return f"{graph['uncovered']} of {graph['needed']} needs have no working tie"
    pairs = [f"{' with '.join(called(one, names) for one in each['between'])} ({times(each['times'], 'need')})"
             for each in graph["uncovered"]]  # fmt: skip
    return listed(pairs) or "all needed ties are there"


def _evidence(document: Mapping[str, Any]) -> list[str]:
    """The numbers that the recommendation stands on."""
    team, found = document["measures"]["team"], []
    for index, name in INDICES.items():
        each = team[index]
        if each["value"] is not None:
            found.append(f"{name} is {tenths(each['value'])} {SCALE}, between {tenths(each['low'])} and"
                         f" {tenths(each['high'])} in nine of ten cases: {each['state']}.")  # fmt: skip
    graph = document["associations"]
    needed = sum(graph["needs"].values()) if "needs" in graph else graph["needed"]
    gaps = graph["uncovered"] if "needs" not in graph else sum(each["times"] for each in graph["uncovered"])
    if needed:
        found.append(f"Work needed others {times(needed, 'time')}; {gaps} of these had no working tie.")
    for id, says in (("TP3", "requests were answered by the promised day"), ("TP2", "items were resolved in 14 days"),
                     ("IB4", "actions were done by the day they were due")):  # fmt: skip
        each = team[id]
        if each["numerator"] is not None and each["value"] is not None:
            found.append(f"{float(each['numerator']):g} of {float(each['n']):g} {says}.")
    if team["TR1"]["value"] is not None:
        found.append(f"The team reached {tenths(team['TR1']['value'])} % of what may be expected of it.")
    return found


def _besides(
    document: Mapping[str, Any], known: Mapping[str, str], names: Mapping[str, str], made_on: date
) -> list[str]:
    """What is proposed beside it: for who has no working contact, and for who carries all help."""
    found = []
    until = made_on + timedelta(weeks=BUDDY_WEEKS)
    for each in document["weaknesses"]["W-ISO"]["about"]:
        said = f"{names.get(each, each)} has no working contact in the team{_took_part(document, each)}."
        found.append(f"{said} Look at the first day and at absences first. Proposed: a buddy until"
                     f" {day_in_words(until)}.")  # fmt: skip
    for each in document["weaknesses"]["W-HUB"]["about"]:
        share = document["associations"].get("network", {}).get("help_share", {}).get(each)
        how = f"{percent(share)} of all help" if share else "More than half of all help"
        found.append(f"{how} came from {names.get(each, each)}. Proposed: let others answer first, and add no meeting"
                     " that runs through the same member.")  # fmt: skip
    told = {"O1c": "W-ISO", "O6": "W-HUB"}
    found += [f"{each}: {known.get(each, 'see the options')}." for each in document["recommendation"]["besides"]
              if not document["weaknesses"].get(told.get(each, ""), {}).get("about")]  # fmt: skip
    return found


def _took_part(document: Mapping[str, Any], member: str) -> str:
    """How often somebody was at a meeting, and since when they are here, as far as that is told."""
    met = document["measures"]["members"].get(member, {}).get("IB1", {"numerator": None})
    day = (document["weaknesses"]["W-ISO"].get("began") or {}).get(member)
    said = [f"took part in {float(met['numerator']):g} of {float(met['n']):g} meetings"] if met["numerator"] else []
    said += [f"began on {day_in_words(date.fromisoformat(day))}"] if day else []
    return f" ({', '.join(said)})" if said else ""


def _note(said: Mapping[str, Any], named: str | None) -> str | None:
    if said["note"]:
        return "No option is worth 5 points more than no action."
    if named and said.get("close"):
        return (f"A close call: {listed(said['close'])} is about as good. {named} is preferred: it changes less, can"
                " be taken back, or takes fewer hours.")  # fmt: skip
    if said["first"] and named and said["first"] != named:
        return f"{said['first']} scores highest, but is of another class. Who decides it says why."
    return None
