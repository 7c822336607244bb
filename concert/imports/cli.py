"""`concert import`: the commands, their progress bar, and what they say at the end."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from concert.imports.adventureworks import plan_adventureworks
from concert.imports.crm import plan_crm
from concert.imports.plan import Plan, totals
from concert.imports.send import Outcome, Stopped, carry_out, wait_for
from concert.imports.tables import Report, Unreadable

app = typer.Typer(no_args_is_help=True, help="Bring in what a company already has.")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
SHOWN = 20
Url = Annotated[str, typer.Option(envvar="CONCERT_URL", help="Where Concert answers.")]
Token = Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with admin or the scopes written to.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and judge everything, send nothing.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Write every repaired and refused row here (CSV).")]
Currency = Annotated[str, typer.Option(help="The currency of the amounts.")]
HERE = "http://127.0.0.1:8000"


@app.command()
def crm(
    source: Annotated[Path, typer.Argument(help="A folder with a CRM's files, or one exported list of deals.")],
    url: Url = HERE,
    token: Token = "",
    dry_run: DryRun = False,
    report: ReportFile = None,
    currency: Currency = "USD",
) -> None:
    """A CRM's deals: its own files, or an export with HubSpot's or Salesforce's labels."""
    _import(lambda found: plan_crm(source, found, currency=currency), url, token, dry_run, report)


@app.command()
def adventureworks(
    folder: Annotated[Path, typer.Argument(help="The folder with the AdventureWorks files.")],
    url: Url = HERE,
    token: Token = "",
    dry_run: DryRun = False,
    report: ReportFile = None,
) -> None:
    """AdventureWorks: resellers, order lines with cost, sales people, territories, quotas and monthly targets."""
    _import(lambda found: plan_adventureworks(folder, found), url, token, dry_run, report)


def _import(make: Callable[[Report], Plan], url: str, token: str, dry_run: bool, report_file: Path | None) -> None:
    report = Report()
    try:
        plan = make(report)
        outcome = None if dry_run else asyncio.run(_run(plan, url, token, report))
    except (Unreadable, Stopped) as fault:
        err.print(str(fault), soft_wrap=True)
        raise typer.Exit(2 if isinstance(fault, Unreadable) else 1) from None
    _say(plan, outcome, report)
    if report_file is not None:
        _write(report, report_file)
    raise typer.Exit(1 if report.refused else 0)


async def _run(plan: Plan, url: str, token: str, report: Report) -> Outcome:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:
        with Progress(*columns, console=err, transient=True) as bar:
            tasks = {name: bar.add_task(name, total=len(step.rows)) for name, step in plan.steps.items()}
            outcome = await carry_out(plan, client, report, lambda name, rows: bar.advance(tasks[name], rows))
        await _show(client, plan, outcome)
    return outcome


async def _show(client: httpx.AsyncClient, plan: Plan, outcome: Outcome) -> None:
    """Wait until all five views hold everything, and say what they show."""
    first, _, last = plan.period.partition("/")
    query = {"from": f"{first}-01-01", "to": f"{int(last or first) + 1}-01-01"}
    answer = await wait_for(client, "/v1/views", outcome.batches, **query)
    figures = answer.json()["views"]["sales"]["figures"]
    out.print(f"The views of {first} to {last} show {figures['deals_won']} deals won, {figures['deals_lost']} lost and "
              f"{_money(figures['revenue'])} of revenue.", soft_wrap=True)  # fmt: skip


def _money(shown: Any) -> str:
    if shown is None:
        return "nothing"
    amounts = shown.get("amounts", [shown])
    return " and ".join(f"{each['amount']} {each['currency']}" for each in amounts)


def _say(plan: Plan, outcome: Outcome | None, report: Report) -> None:
    if outcome is None:
        rows = ", ".join(f"{count} {name}" for name, count in totals(plan).items() if count)
        out.print(f"Nothing was sent. Would send: {rows}.", soft_wrap=True)
    else:
        out.print(
            f"{outcome.created} created, {outcome.changed} updated or unchanged, {outcome.refused} refused by Concert.",
            soft_wrap=True,
        )
    for remark in report.remarks:
        out.print(remark, soft_wrap=True)
    for what, count in Counter(_kind(what) for _, _, what in report.repaired).most_common():
        out.print(f"repaired {count:>6}: {what}", soft_wrap=True)
    for file, line, why in report.refused[:SHOWN]:
        err.print(f"{file}, line {line}: {why}", soft_wrap=True)
    if len(report.refused) > SHOWN:
        err.print(f"... and {len(report.refused) - SHOWN} more refused rows; --report lists all.")


def _kind(what: str) -> str:
    return what.partition(" (")[0]


def _write(report: Report, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "file", "line", "how or why"])
        writer.writerows(("repaired", *each) for each in report.repaired)
        writer.writerows(("refused", *each) for each in report.refused)
