"""`concert parked`: events that a service could not apply, and what somebody may do about them."""

from __future__ import annotations

import sys
from textwrap import shorten
from typing import Annotated, Any
from urllib.parse import quote

import typer
from pydantic_core import from_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from concert.imports.asking import Asking, Stopped
from concert.talking import HERE, Url, ask, plain, refuse

app = typer.Typer(no_args_is_help=True, help="Events that could not be applied, and what to do about them.")
Token = Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with admin, or parked:read,parked:write.")]
Subject = Annotated[str, typer.Argument(help="Whose event it is, as the list shows it: deal/deal_...")]
Service = Annotated[str, typer.Option(help="Whose trouble with it is meant, where several services have it.")]
Reason = Annotated[str, typer.Option(help="Why it may be lost. Without one it goes on being alarmed about.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Held = dict[str, Any]
MOST = 200
COLUMNS = ("service", "subject", "version", "type", "since", "reason")
WIDE = 240
SHORT = 100
_UNTIL = ", until a rebuild can apply it, and the certificate goes on naming it"
_WAITS = "waits for an earlier version"


@app.command("list")
def list_parked(url: Url = HERE, token: Token = "") -> None:
    """Events that are parked, or wait behind one, the oldest first; and what was given up."""
    trouble = ask(url, token, _trouble)
    held = trouble["items"]
    _out().print(_table(held) if held else "Nothing is parked, and nothing waits.")
    if len(held) == MOST:
        _out().print(f"These are the {MOST} oldest; there may be more.")
    for each in trouble["discarded"]:
        why = f": {' '.join(plain(each['reason']).split())}" if each["reason"] else ", without a word why"
        by = f"{plain(each['by'])} on {plain(each['at'])[:10]}"
        _out().print(f"{each['service']} lacks {_name(each)}, given up by {by}{why}", markup=False)


@app.command()
def show(subject: Subject, url: Url = HERE, token: Token = "", service: Service = "") -> None:
    """The event that holds a subject up, in full."""
    _refuse_bad_subject(subject)
    found, behind = _first(subject, ask(url, token, lambda asking: _held(asking, subject, service)))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    shown = found | {
        "reason": found["reason"] or _WAITS,
        "data": found["data"] or "none",
    }
    for name in ("subject", "version", "service", "id", "type", "time", "since", "reason", "data"):
        grid.add_row(name, Text(plain(shown[name])))
    grid.add_row("behind it", f"{behind} more of this subject")
    _out().print(grid)


@app.command()
def retry(subject: Subject, url: Url = HERE, token: Token = "", service: Service = "") -> None:
    """Try to apply the event again, and then those behind it: after what was in its way has been mended."""
    _refuse_bad_subject(subject)
    found, _ = _first(subject, ask(url, token, lambda asking: _held(asking, subject, service)))
    left = ask(url, token, lambda asking: _mended(asking, found, "retry"))
    still = [each for each in left if (each["version"], each["id"]) == (found["version"], found["id"])]
    if still:
        refuse(f"{_name(found)} was tried again and is still held: {_why(still[0])}.")
    _out().print(f"{_name(found)} has been applied.", markup=False)
    _say_rest(left)


@app.command()
def discard(
    subject: Subject, url: Url = HERE, token: Token = "", service: Service = "", reason: Reason = "", yes: Yes = False
) -> None:
    """Give the event up for ever; those behind it go on. Asks first, and why: also of what was given up before."""
    _refuse_bad_subject(subject)
    held = ask(url, token, lambda asking: _held(asking, subject, service))
    lost = [] if held else ask(url, token, lambda asking: _lost_unsaid(asking, subject, service))
    if lost:
        because = reason or typer.prompt(f"{_name(lost[0])} was given up. Why may it be lost?")
        ask(url, token, lambda asking: _told(asking, lost[0], "discard", because))
        _out().print(f"It is kept why {_name(lost[0])} may be lost.", markup=False)
        return
    found, behind = _first(subject, held)
    if found["reason"] is None:
        refuse(f"{_name(found)} is not parked: it {_WAITS}, so there is nothing to give up.")
    _out().print(
        f"{_name(found)} ({found['type']}) is parked: {_why(found)}.\nGiven up, it is recorded as skipped:"
        f" {found['service']} never holds what it says, whoever sends it again"
        f"{_UNTIL if found['service'] == 'metrics' else ''}."
        f" {behind} more of {subject} wait behind it and go on.",
        markup=False,
    )
    if not yes:
        typer.confirm("Give it up for ever?", abort=True)
    because = reason or ("" if yes else typer.prompt("Why may it be lost?", default="", show_default=False))
    left = ask(url, token, lambda asking: _mended(asking, found, "discard", because))
    _out().print(f"{_name(found)} has been given up.", markup=False)
    _say_rest(left)


async def _held(asking: Asking, subject: str = "", service: str = "") -> list[Held]:
    """What is held, of one subject or of all, by one service or by all. Raises Stopped."""
    return (await _trouble(asking, subject, service))["items"]


async def _lost_unsaid(asking: Asking, subject: str, service: str) -> list[Held]:
    """What was given up of a subject without a word why. Raises Stopped."""
    return [each for each in (await _trouble(asking, subject, service))["discarded"] if each["reason"] is None]


async def _trouble(asking: Asking, subject: str = "", service: str = "") -> dict[str, list[Held]]:
    """What is held and what was given up, of one subject or of all, by one service or by all. Raises Stopped."""
    query = {name: value for name, value in (("subject", subject), ("service", service)) if value}
    answer = await asking.read("/v1/parked", limit=str(MOST), **query)
    try:
        said = from_json(answer.content)
        found = {"items": list(said["items"]), "discarded": list(said["discarded"])}
        if said["silent"]:
            console = Console(stderr=True, highlight=False, soft_wrap=True)
            console.print(f"Not answered, so nothing is known of what they hold: {', '.join(said['silent'])}.")
    except (ValueError, TypeError, KeyError):
        raise Stopped(f"What answers at {asking.client.base_url} is not Concert: it shows no list of events.") from None
    return found


async def _mended(asking: Asking, held: Held, act: str, reason: str = "") -> list[Held]:
    """What its service still holds of the subject after an act. Raises Stopped."""
    await _told(asking, held, act, reason)
    return await _held(asking, held["subject"], held["service"])


async def _told(asking: Asking, held: Held, act: str, reason: str) -> None:
    """Have it done, by the service that holds it. Raises Stopped."""
    kind, _, key = held["subject"].partition("/")
    path = f"/v1/parked/{quote(kind, safe='')}/{quote(key, safe='')}/{act}"
    await asking.tell(path, {"reason": reason} if reason else None, service=held["service"])


def _first(subject: str, held: list[Held]) -> tuple[Held, int]:
    """The event that a retry or discard is about, and how many more there are of its subject."""
    if not held:
        refuse(f"Nothing is held for {subject}; `concert parked list` shows what is.")
    services = sorted({each["service"] for each in held})
    if len(services) > 1:
        refuse(f"{subject} is held by {' and '.join(services)}, each with its own trouble; say which by --service.")
    first = min(held, key=lambda each: (each["reason"] is None, each["version"], each["id"]))
    return first, len(held) - 1


def _table(held: list[Held]) -> Table:
    table = Table(*COLUMNS, box=None, pad_edge=False)
    table.columns[COLUMNS.index("subject")].no_wrap = True
    for each in held:
        shown = each | {"reason": shorten(_why(each), SHORT, placeholder="...")}
        table.add_row(*(Text(plain(shown[name])) for name in COLUMNS))
    return table


def _say_rest(left: list[Held]) -> None:
    if left:
        _out().print(f"Still held of this subject: {', '.join(map(_name, left))}.", markup=False)


def _name(held: Held) -> str:
    return f"{plain(held['subject'])}@{held['version']}"


def _why(held: Held) -> str:
    """Why it is held, on one line."""
    return " ".join(plain(held["reason"] or _WAITS).split())


def _refuse_bad_subject(subject: str) -> None:
    kind, _, key = subject.partition("/")
    if not kind or not key or "/" in key:
        raise typer.BadParameter(f"{subject} is no subject; write one as deal/deal_...", param_hint="SUBJECT")


def _out() -> Console:
    # What is read by a program is not broken into lines of a terminal's width.
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
