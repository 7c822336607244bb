"""The figures of the pipeline: what is in it, what it is worth by its stages, how fast it moves, what it will bring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deal_cells import STAGE_IN, STAGE_OUT
from services.metrics.facts.deals import HANDED_OVER, DealFact
from services.metrics.facts.pipeline import OverrideFact, StageFact
from services.metrics.sums import ALL
from services.metrics.views.courses import history, lengths, median
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.ledger import entry_of
from services.metrics.views.parts import FED_BY, inside, ledger_of
from services.metrics.views.question import CIRCLES
from services.metrics.views.targets import reached
from services.metrics.views.values import Amounts, decimal, mean, shown_money, shown_money_rate
from shared.forecast import METHOD, RANGE, Forecast, History, Known, NotForeseeable
from shared.forecast import forecast as foresee
from shared.membership import end_of
from shared.money import Money
from shared.period import Period
from shared.stages import DEFAULTS, Default, chance_on, qualified_on

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_stage = StageFact.__table__.c  # type: ignore[attr-defined]
_override = OverrideFact.__table__.c  # type: ignore[attr-defined]
_STAGES = sa.select(_stage.id, _stage.chances, _stage.qualified)
_SAID = sa.select(OverrideFact).where(
    _override.level == sa.bindparam("level"),
    _override.ref == sa.bindparam("ref"),
    _override.start == sa.bindparam("start", type_=sa.Date()),
    _override.end == sa.bindparam("end", type_=sa.Date()),
)
GOES_IN_AND_OUT: Final = (("opened", 1), ("taken", 1), ("given", -1), ("won", -1), ("lost", -1))
"""What brings a deal to somebody and what takes it away: open deals are the sum."""
LEVELS: Final = ("department", "team", "group", "member", "customer", "product", "region")
"""Of what, besides the organisation, a forecast may be overridden."""


async def at_hand(reading: Reading) -> int:
    """How many deals were open at some time in the period; of a member those that were handed to them as well."""
    begun = await _open_at_start(reading)
    came = sum([(await reading.flow(measure)).count for measure in comes_by(reading)])
    brought = sum([await _open_at_start(each) for each in await _joining(reading)])
    return begun + came + brought - await _came_again(reading)


async def _open_at_start(reading: Reading) -> int:
    return sum([sign * (await reading.start(measure)).count for measure, sign in GOES_IN_AND_OUT])


async def _joining(reading: Reading) -> list[Reading]:
    """The same question about each member who joins the group in the period, on that day: their open deals come
    along."""
    others = {dim: key for dim, key in reading.filters.items() if dim != "group"}
    return [
        reading.about({**others, "member": member}).over(Period.between(day, day + timedelta(days=1)))
        for member, day in await _joined(reading)
    ]


async def _joined(reading: Reading) -> list[tuple[str, date]]:
    if "group" not in reading.filters:
        return []
    span, circle = reading.question.span, await reading.circle("group", reading.filters["group"])
    firsts = {
        member: min(
            date.fromisoformat(each["from"]) for each in spells if (end_of(each) or span.end) > span.last_before
        )
        for member, spells in circle.members.items()
        if any((end_of(each) or span.end) > span.last_before for each in spells)
    }
    return [(member, day) for member, day in sorted(firsts.items()) if span.start <= day < span.end]


async def _came_again(reading: Reading) -> int:
    """How many deals came to those who are asked about and had had them before in the period: from one of a group to
    another, or back to a member."""
    if "taken" not in comes_by(reading) or not (await reading.flow("taken")).count:
        return 0
    near = [HANDED_OVER, _deal.opened_on < reading.question.span.end]
    near += await reading.passing(FED_BY[DealFact], reading.filters)
    found = await reading.snapshot.all(DealFact, sa.select(DealFact).where(*near))
    times = [await times_at_hand(reading, deal) for deal in found]
    return sum(max(each - 1, 0) for each in times)


async def times_at_hand(reading: Reading, deal: DealFact) -> int:
    """How often a deal came to those who are asked about, or was theirs when the period began."""
    ledger, last = await ledger_of(reading, deal), timedelta(days=1)
    begun = sum(sign * entry_of(ledger.before, name, [ALL]).count for name, sign in GOES_IN_AND_OUT)
    brought = sum(deal.open_before(day) and deal.owner_on(day - last) == who for who, day in await _joined(reading))
    return begun + sum(inside(ledger, name).count for name in comes_by(reading)) + brought


def comes_by(reading: Reading) -> Sequence[str]:
    """By what deals come to whoever is asked about in the period: what is handed over stays with the whole."""
    return ("opened", "taken") if set(reading.filters) & set(CIRCLES) else ("opened",)


async def open_value(reading: Reading) -> Amounts:
    """Estimated value of the deals open at the end."""
    return Amounts.total((await _by_stage(reading)).values())


async def pipeline(reading: Reading) -> Any:
    """Estimated value of the deals open at the end, as it is shown."""
    return shown_money(await open_value(reading), reading.question.currency)


async def weighted_pipeline(reading: Reading) -> Any:
    """Estimated value of the deals open at the end, each times the chance of its stage on that day."""
    held, chances = await _by_stage(reading), await chances_at_end(reading)
    unknown = sorted(stage for stage in held if chances.get(stage) is None)
    if unknown:
        day = reading.question.span.last_asked
        reading.note("weighted_pipeline", f"no chance is known on {day} for the stage {', '.join(unknown)}")
        return None
    return shown_money(weighed(held, chances), reading.question.currency)


def weighed(held: Mapping[str, Amounts], chances: Mapping[str, Decimal | None]) -> Amounts:
    """What is in each stage times its chance."""
    total: dict[str, Fraction] = {}
    for stage, amounts in held.items():
        for code, amount in amounts:
            total[code] = total.get(code, Fraction(0)) + amount * Fraction(chances.get(stage) or 0)
    return Amounts({code: round(amount) for code, amount in total.items()})


async def chances_at_end(reading: Reading) -> Mapping[str, Decimal | None]:
    """The chance of each stage on the day that stocks are seen on."""
    day = reading.question.span.last_asked
    return {stage: chance_on(told.chances, day) for stage, told in (await _stages(reading)).items()}


async def qualified_stages(reading: Reading) -> set[str]:
    """The stages in which deals count as qualified on that day."""
    day = reading.question.span.last_asked
    return {stage for stage, told in (await _stages(reading)).items() if qualified_on(told.qualified, day)}


async def _by_stage(reading: Reading) -> dict[str, Amounts]:
    """What is in each stage that anything is in."""
    held = {}
    for measure in await reading.measures(STAGE_IN):
        stage = measure.removeprefix(STAGE_IN)
        entered, left = await reading.stock(measure), await reading.stock(f"{STAGE_OUT}{stage}")
        if entered.amount - left.amount:
            held[stage] = entered.amount - left.amount
    return held


async def _stages(reading: Reading) -> Mapping[str, Default]:
    async def read() -> dict[str, Default]:
        # Until word of them has come, the stages that are there from the beginning are as they begin.
        known = dict(DEFAULTS)
        for key, chances, qualified in await reading.snapshot.rows(_STAGES):
            said = qualified or (known[key].qualified if key in known else ())
            known[key] = Default(key, 0, chances, said)
        return known

    found: Mapping[str, Default] = await reading.shared("stages", read)
    return found


async def qualified_value(reading: Reading) -> Amounts:
    """Estimated value of the deals open at the end in stages in which they are qualified."""
    held, qualified = await _by_stage(reading), await qualified_stages(reading)
    return Amounts.total(amounts for stage, amounts in held.items() if stage in qualified)


async def qualified_pipeline(reading: Reading) -> Any:
    """The same as it is shown."""
    return shown_money(await qualified_value(reading), reading.question.currency)


def covering(figure: str, value_of: Callable[[Reading], Awaitable[Amounts]]) -> Compute:
    """What is in the pipeline ÷ what is left of the target."""

    async def coverage(reading: Reading) -> Any:
        found = await reached(reading, figure)
        if found is None:
            return None
        if found.state.variance >= 0:
            reading.note(figure, "nothing is left of the target")
            return None
        still = Amounts({found.currency: -round(found.state.variance)})
        value = await reading.worth(found.currency, value_of)
        reading.note_besides(figure, "pipeline", value, "target", found.currency)
        return shown_money_rate(Amounts({found.currency: value.of(found.currency)}), still)

    return coverage


async def coverage_ideal(reading: Reading) -> Any:
    """1 ÷ win rate: how many times what is left must be in the pipeline for it to be won."""
    won, lost = (await reading.flow("won")).count, (await reading.flow("lost")).count
    if not won:
        reading.note("coverage_ideal", "no deal was won in the period")
        return None
    return {"rate": decimal(Decimal(won + lost) / won), "numerator": won + lost, "denominator": won}


async def sales_cycle_mean(reading: Reading) -> Any:
    """Mean days from opening to winning."""
    entry = await reading.flow("won")
    if not entry.count:
        reading.note("sales_cycle_mean", "no deal was won in the period")
    return mean(entry.took, entry.count)


async def sales_cycle_median(reading: Reading) -> Any:
    """Median days from opening to winning."""
    reading.refuse_strange("won")
    middle = median(await lengths(reading))
    if middle is None:
        reading.note("sales_cycle_median", "no deal was won in the period")
        return None
    return decimal(Decimal(sum(middle)) / 2, 2)


async def velocity(reading: Reading) -> Any:
    """Money a day that the pipeline turns into revenue."""
    won, lost = await reading.flow("won"), (await reading.flow("lost")).count
    opportunities = await at_hand(reading)
    if not won.count or not won.took:
        why = "no deal was won in the period" if not won.count else "the deals won took no day from opening to winning"
        reading.note("velocity", why)
        return None
    only = won.amount.only
    if only is None and won.amount:
        reading.note("velocity", "the deals were won in several currencies")
        return None
    currency, amount = only or (reading.question.currency, 0)
    win_rate, average = Fraction(won.count, won.count + lost), Fraction(amount, won.count)
    a_day = opportunities * win_rate * average / Fraction(won.took, won.count)
    return Money.of_minor(round(a_day), currency).as_json()


async def forecast(reading: Reading) -> Any:
    """Revenue at the end of the period, computed."""
    found = await _foreseen(reading)
    if isinstance(found, str):
        reading.note("forecast", found)
        return None
    return shown_money(Amounts({found[1]: found[0].value}), found[1])


async def forecast_range(reading: Reading) -> Any:
    """The middle 80 % of what the forecast says."""
    found = await _foreseen(reading)
    if isinstance(found, str):
        reading.note("forecast_range", found)
        return None
    low, high = (shown_money(Amounts({found[1]: value}), found[1]) for value in (found[0].low, found[0].high))
    return {"low": low, "high": high}


async def _foreseen(reading: Reading) -> tuple[Forecast, str] | str:
    """The forecast and its currency, or why there is none."""

    reading.refuse_strange("won")

    async def work() -> tuple[Forecast, str] | str:
        question = reading.question
        before = question.today + timedelta(days=1)
        past = before >= question.period.end
        known = History(Known(before)) if past else await history(reading, before)
        won = dict((await _won_by(reading, min(before, question.period.end))).minor)
        try:
            return foresee(known, question.period, won)
        except NotForeseeable as reason:
            return str(reason)

    found: tuple[Forecast, str] | str = await reading.once("forecast", work)
    return found


async def _won_by(reading: Reading, before: date) -> Amounts:
    """What was won in the period before a day; what is dated later is not known yet."""
    period = reading.question.period
    if before <= period.start:
        return Amounts()
    if before == period.end:
        return (await reading.flow("won")).amount
    if reading.question.into is None:
        # The period runs: what was won in it so far is what there is by now without what there was before it.
        return (await reading.stock("won")).amount - (await reading.start("won")).amount
    known = reading.over(type(period).between(period.start, before))
    return (await known.flow("won")).amount


async def forecast_override(reading: Reading) -> Any:
    """What somebody expects instead."""
    filters, period = reading.filters, reading.question.period
    level = next(iter(filters), "organisation")
    if len(filters) > 1 or level not in ("organisation", *LEVELS):
        reading.note("forecast_override", f"a forecast is overridden for the organisation or one {', '.join(LEVELS)}")
        return None
    said = await reading.snapshot.all(
        OverrideFact, _SAID, level=level, ref=filters.get(level, ""), start=period.start, end=period.end
    )
    standing = next((each for each in said if each.amount is not None), None)
    if standing is None or standing.amount is None:
        reading.note("forecast_override", "nobody has said that anything else is expected")
        return None
    return Money.of_minor(standing.amount, standing.currency).as_json()


FIGURES: Final = (
    Figure("pipeline", "Sum of the estimated values of the deals open at the end; lost and won deals count nowhere.",
           pipeline, "pipeline"),
    Figure("weighted_pipeline", "Estimated values of the deals open at the end, each times the chance that its stage "
           "had on that day.", weighted_pipeline, "weighted_pipeline"),
    Figure("pipeline_qualified", "Pipeline in the stages in which deals count as qualified on the last day, as the "
           "stages say.", qualified_pipeline, "pipeline_qualified"),
    Figure("coverage", "Pipeline ÷ (target - revenue), while something is left of the target.",
           covering("coverage", open_value), "coverage"),
    Figure("coverage_qualified", "Qualified pipeline ÷ (target - revenue), while something is left of the target.",
           covering("coverage_qualified", qualified_value), "coverage_qualified"),
    Figure("coverage_ideal", "1 ÷ win rate of the period: the coverage at which the pipeline wins what is left.",
           coverage_ideal, "closed_of_won"),
    Figure("sales_cycle_mean", "Mean number of days from opening to winning, of the deals won in the period.",
           sales_cycle_mean, "days_to_win"),
    Figure("sales_cycle_median", "Median number of days from opening to winning, of the deals won in the period; the "
           "mean of the middle two where their number is even.", sales_cycle_median, "days_to_win"),
    Figure("velocity", "Opportunities x win rate x average deal ÷ sales cycle: money a day. Opportunities are the "
           "deals open at some time in the period; win rate, average deal and mean sales cycle are the period's.",
           velocity, "velocity"),
)  # fmt: skip
FORECAST: Final = (
    Figure("forecast", METHOD, forecast, "deals_foreseen"),
    Figure("forecast_range", RANGE, forecast_range, "deals_foreseen"),
    Figure("forecast_override", "What somebody expects of exactly this period instead of the computed forecast; who "
           "and why is kept with the targets, at /v1/forecasts.", forecast_override,
           opens="it is at /v1/forecasts, with all that was said before"),
)  # fmt: skip
