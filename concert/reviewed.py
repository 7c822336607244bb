"""`concert review`: a team's review in a period, read or held, as tables on a terminal or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import typer
from pydantic_core import from_json, to_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from concert.imports.asking import Asking, Stopped, detail_of
from concert.talking import HERE, Url, ask, plain
from services.metrics.page.review.words import CLASSES, CRITERIA, reason_of
from services.metrics.review.catalogue import MEASURES
from shared.period import BadPeriod, Period

Team = Annotated[str, typer.Argument(help="A team by its name, its id, or ext:<source>:<id>.")]
When = Annotated[str, typer.Option("--period", help="2026-Q3, 2026, 2026-07, 2026-W31 or 2026-07-01/2026-10-01.")]
Token = Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with reviews:read, or :write to hold one.")]
AsJson = Annotated[bool, typer.Option("--json", help="The review as Concert answers it.")]
Again = Annotated[bool, typer.Option("--again", help="Hold it anew: what was corrected since makes a new revision.")]
CELLS = ("index", "team process", "survey", "team results", "goal link")
MEMBERS = ("individual behaviour", "individual results")
WIDE = 160
Found = dict[str, Any]


def review(
    team: Team, period: When, url: Url = HERE, token: Token = "", as_json: AsJson = False, again: Again = False
) -> None:
    """A team's review in a period: what was measured, what is recommended, and what there is to choose from."""
    try:
        Period.parse(period)
    except BadPeriod as fault:
        raise typer.BadParameter(str(fault), param_hint="--period") from None
    found = ask(url, token, lambda asking: _review(asking, team, period, again))
    if as_json:
        sys.stdout.write(to_json(found, indent=2).decode() + "\n")
        return
    names = ask(url, token, lambda asking: _names(asking, found))
    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    _print(out, found, names)


async def _review(asking: Asking, team: str, period: str, again: bool) -> Found:
    """The review that stands; it is held where there is none yet, or that is wanted. Raises Stopped."""
    ref = await _team(asking, team)
    if not again:
        for each in await _all(asking, "/v1/reviews", team=ref):
            if each["period"]["label"] == period and each["outdated_by"] is None:
                return each
    return await _held(asking, ref, period)


async def _held(asking: Asking, team: str, period: str) -> Found:
    try:
        answer = await asking.client.post("/v1/reviews", json={"team": team, "period": period})
    except httpx.HTTPError as fault:
        raise Stopped(f"The connection broke ({fault or type(fault).__name__}); hold the review once more.") from None
    if not answer.is_success:
        raise Stopped(f"No review of {team} in {period}: {detail_of(answer)}.")
    found: Found = from_json(answer.content)
    return found


async def _team(asking: Asking, team: str) -> str:
    """The team of this name, or what is a reference already. Raises Stopped."""
    if team.startswith(("team_", "ext:")):
        return team
    teams = await _all(asking, "/v1/teams")
    named = [str(each["id"]) for each in teams if each["name"].casefold() == team.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise Stopped(f"{len(named)} teams are called {team}; say which by its id: {', '.join(named)}.")
    known = ", ".join(sorted(str(each["name"]) for each in teams)) or "none"
    raise Stopped(f"No team is called {team}; there are {known}.")


async def _all(asking: Asking, path: str, **query: str) -> list[Found]:
    """All things of a collection, page by page. Raises Stopped."""
    items: list[Found] = []
    while True:
        answer = await asking.read(path, limit="200", **query)
        try:
            said = from_json(answer.content)
            items += said["items"]
        except (ValueError, TypeError, KeyError):
            raise Stopped(f"What answers at {asking.client.base_url} is not Concert: it shows no {path}.") from None
        if said["next"] is None:
            return items
        query["cursor"] = said["next"]


async def _names(asking: Asking, found: Found) -> dict[str, str]:
    """What the team and the members of a review are called, as far as whoever asks may know."""
    team = await asking.client.get(f"/v1/teams/{found['team']}")
    names = {found["team"]: str(team.json()["name"])} if team.is_success else {}
    for member in found["document"]["measures"]["members"]:
        answer = await asking.client.get(f"/v1/members/{member}")
        if answer.is_success and answer.json().get("name"):
            names[member] = str(answer.json()["name"])
    return names


def _print(out: Console, found: Found, names: Mapping[str, str]) -> None:
    document = found["document"]
    said = document["recommendation"]
    _line(out, f"{names.get(found['team'], found['team'])}, {found['period']['label']}: revision {found['revision']},"
               f" made on {found['made_on']} by rules {found['rule_set']}")  # fmt: skip
    if document["baseline"]:
        _line(out, "Baseline: in the first two periods nothing is called weak.")
    _line(out, "")
    _line(out, f"Recommended ({said['rule']}): {CLASSES[said['class']]}"
               f"{', ' + said['option'] if said['option'] else ''}. {reason_of(said['rule'])}")  # fmt: skip
    for each in said["missing"]:
        _line(out, f"  missing: {each}")
    if said["besides"]:
        _line(out, f"  beside it: {', '.join(said['besides'])}")
    decided = f"{' and '.join(found['decided'])} on {found['decided_on']}" if found["decided"] else "not yet"
    _line(out, f"Decided: {decided}.")
    _line(out, "")
    out.print(_team_table(document["measures"]["team"]))
    if document["measures"]["members"]:
        out.print(_member_table(document["measures"]["members"], names))
    if document["options"]:
        out.print(_option_table(document["options"]))
    _line(out, f"To decide: POST /v1/reviews/{found['id']}/decide, or the page /reviews/{found['id']}#decision")


def _team_table(measures: Found) -> Table:
    table = Table("cell", "measure", "value", "between", "cases", "verdict", title="The team", title_justify="left",
                  box=None, pad_edge=False)  # fmt: skip
    for cell in CELLS:
        for id, each in sorted(measures.items()):
            if MEASURES[id].cell == cell or (id == "IB4" and cell == "team process"):
                between = f"{_short(each['low'])} to {_short(each['high'])}" if each["low"] else ""
                verdict = each["missing"] or each.get("state") or ""
                table.add_row(*map(_text, (cell, f"{id} {MEASURES[id].name}", _short(each["value"]), between,
                                           _cases(each), verdict)))  # fmt: skip
    return table


def _member_table(members: Found, names: Mapping[str, str]) -> Table:
    ids = [id for id, each in MEASURES.items() if each.cell in MEMBERS and all(id in told for told in members.values())]
    table = Table("member", *sorted(ids), title="Members, by name (not enough data: -)", title_justify="left", box=None,
                  pad_edge=False)  # fmt: skip
    for member in sorted(members, key=lambda each: (names.get(each, each), each)):
        values = (_short(members[member][id]["value"]) or "-" for id in sorted(ids))
        table.add_row(*map(_text, (names.get(member, member), *values)))
    return table


def _option_table(options: Found) -> Table:
    table = Table("option", *(title.lower() for title, _ in CRITERIA.values()), "total", "net worth", "better", "",
                  title=f"Options for {options['measure']}: a gap of {_short(options['gap'])} points",
                  title_justify="left", box=None, pad_edge=False)  # fmt: skip
    for row in options["rows"]:
        tags = f"dominated by {', '.join(row['dominated_by'])}" if row["dominated_by"] else ""
        first = f"first in {options['first_in_variants']} of 10 variants" if row["option"] == options["best"] else ""
        values = [_short(row["values"][name]) for name in CRITERIA]
        worth = [_short(row["score"]), _short(row["net"]), _short(row["better_than_nothing"], 2)]
        named = f"{row['option']} {'; '.join(row['descriptions'])}"
        table.add_row(*map(_text, (named, *values, *worth, first or tags)))
    return table


def _cases(each: Found) -> str:
    return "" if each["n"] is None else f"{_whole(each['numerator'])} of {_whole(each['n'])}" if each[
        "numerator"] is not None else _whole(each["n"])  # fmt: skip


def _whole(value: str) -> str:
    return f"{float(value):g}"


def _short(value: str | None, places: int = 1) -> str:
    return "" if value is None else f"{float(value):.{places}f}"


def _text(value: object) -> Text:
    return Text(plain(value))


def _line(out: Console, text: str) -> None:
    out.print(plain(text), markup=False, soft_wrap=True)
