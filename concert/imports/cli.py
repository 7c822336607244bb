"""`concert import`: the commands, their progress bar, and what they say at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from concert.imports.adventureworks import plan_adventureworks
from concert.imports.asking import Asking, Stopped
from concert.imports.crm import plan_crm
from concert.imports.plan import Plan, Span, totals
from concert.imports.report import Report
from concert.imports.send import Outcome, carry_out
from concert.imports.tables import Unreadable
from concert.imports.telling import tell_of
from shared.instant import now
from shared.money import Money
from shared.money.currencies import DECIMALS, fault_of

app = typer.Typer(no_args_is_help=True, help="Bring in what a company already has.")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
SHOWN = 20
HERE = "http://127.0.0.1:8000"
Url = Annotated[str, typer.Option(envvar="CONCERT_URL", help="Where Concert answers.")]
Token = Annotated[str, typer.Option(envvar="CONCERT_TOKEN", help="A token with admin or the scopes written to.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and judge everything, send nothing.")]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", help="Write every repaired and refused row here: JSON if named .json, else CSV."),
]
Currency = Annotated[str, typer.Option(help="The currency of the amounts.")]
Orders = Annotated[
    bool, typer.Option("--orders/--no-orders", help="Take the sales system's orders (2011 to 2014) besides the lines.")
]


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
    if currency not in DECIMALS:
        raise typer.BadParameter(fault_of(currency), param_hint="--currency")
    _import(lambda found: plan_crm(source, found, currency=currency), url, token, dry_run, report)


@app.command()
def adventureworks(
    folder: Annotated[Path, typer.Argument(help="The folder with the AdventureWorks files.")],
    url: Url = HERE,
    token: Token = "",
    dry_run: DryRun = False,
    report: ReportFile = None,
    orders: Orders = True,
) -> None:
    """AdventureWorks: resellers, order lines with cost, sales people, territories, quotas and monthly targets."""
    _import(lambda found: plan_adventureworks(folder, found, with_orders=orders), url, token, dry_run, report)


def _import(make: Callable[[Report], Plan], url: str, token: str, dry_run: bool, report_file: Path | None) -> None:
    """Read, plan and send; leaves with 0, 1 (something was refused) or 2 (nothing could be begun)."""
    refuse_bad_address(url)
    _refuse_bad_report(report_file)
    report = Report()
    try:
        plan = make(report)
    except Unreadable as fault:
        err.print(str(fault), markup=False)
        raise typer.Exit(2) from None
    stopped = False
    try:
        if dry_run:
            _say_plan(plan)
        else:
            _say_outcome(asyncio.run(_run(plan, url, token, report)))
    except Stopped as fault:
        err.print(f"Stopped: {fault} What was stored stays; the same command goes on from there.", markup=False)
        stopped = True
    _say_report(report)
    if report_file is not None:
        report.write(report_file)
    raise typer.Exit(1 if stopped or report.refused else 0)


def refuse_bad_address(url: str) -> None:
    """Leave with 2 when this cannot be where Concert answers."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise typer.BadParameter(f"{url} is no address; write one as {HERE}", param_hint="--url")


def _refuse_bad_report(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise typer.BadParameter(f"{path} cannot be written: name a file in a folder that is there",
                                 param_hint="--report")  # fmt: skip


async def _run(plan: Plan, url: str, token: str, report: Report) -> Outcome:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:
        with Progress(*columns, console=err, transient=True) as bar:
            tasks = {name: bar.add_task(name, total=step.size) for name, step in plan.steps.items() if step.facts}
            began_at, outcome = now(), None
            try:
                outcome = await carry_out(plan, client, report, lambda name, rows: bar.advance(tasks[name], rows))
            finally:
                await tell_of(client, plan.source, began_at, outcome, report)
        for span in plan.spans:
            await _show(Asking(client), span, outcome)
    return outcome


async def _show(asking: Asking, span: Span, outcome: Outcome) -> None:
    """Wait until all five views hold everything, and say what they show."""
    query = {"from": span.start.isoformat(), "to": span.end.isoformat()}
    answer = await asking.read("/v1/views", outcome.batches, **query)
    views = answer.json()["views"]
    shown = ", ".join(f"{name.replace('_', ' ')} {_figure(views[view]['figures'][name])}" for view, name in HEADLINES
                      if name in views.get(view, {}).get("figures", {}))  # fmt: skip
    out.print(f"The views of {span.name} ({span.start} until {span.end}): {shown}.", markup=False)


HEADLINES = (
    ("sales", "deals_won"), ("sales", "deals_lost"), ("sales", "deals_open"), ("sales", "revenue"),
    ("sales", "win_rate"), ("sales", "average_days_to_win"), ("sales", "target"), ("sales", "attainment"),
    ("finance", "gross_margin"), ("hr", "headcount"),
)  # fmt: skip


def _figure(shown: Any) -> str:
    """A figure as a person reads it."""
    if isinstance(shown, dict) and "amounts" in shown:
        return " and ".join(map(_figure, shown["amounts"]))
    if isinstance(shown, dict):
        return " ".join(str(shown[part]) for part in ("amount", "currency", "rate") if part in shown)
    return "not known" if shown is None else str(shown)


def _say_plan(plan: Plan) -> None:
    rows = ", ".join(f"{step.size} {name}" for name, step in plan.steps.items() if step.facts)
    found = totals(plan)
    out.print(f"Nothing was sent. Would send {sum(step.size for step in plan.steps.values())} rows: {rows}.")
    out.print(f"They make {found.opened} deals: {found.won} won for {_sum(found.revenue)}, {found.lost} lost, "
              f"{found.open} open.")  # fmt: skip
    if found.targets:
        out.print(f"The targets add up to {_sum(found.targets)}.")


def _sum(amounts: dict[str, Money]) -> str:
    return " and ".join(f"{amount.amount:,} {amount.currency}" for amount in amounts.values()) or "nothing"


def _say_outcome(outcome: Outcome) -> None:
    out.print(
        f"{outcome.created} created, {outcome.done} done, {outcome.unchanged} there already, "
        f"{outcome.refused} refused by Concert; {outcome.events} facts stored."
    )


def _say_report(report: Report) -> None:
    for remark in report.remarks:
        out.print(f"Note: {remark}", markup=False)
    for what, count in report.repairs()[:SHOWN]:
        out.print(f"repaired {count:>6}: {what}", markup=False)
    if report.refused:
        err.print(f"{len(report.refused)} rows were refused:")
    for note in report.refused[:SHOWN]:
        err.print(str(note), markup=False)
    if len(report.refused) > SHOWN:
        err.print(f"... and {len(report.refused) - SHOWN} more; --report lists all.")
