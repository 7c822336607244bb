"""The table of options: what each is worth by criterion, in money, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from services.metrics.page.charts import gauge
from services.metrics.page.review.figures import opened, tenths
from services.metrics.page.review.words import CRITERIA, INDICES, listed
from services.metrics.page.values import MINUS, grouped, percent
from services.metrics.review.catalogue import MEASURES
from services.metrics.review.options import Catalogue

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Part:
    """An option by one criterion: its value from 0 to 100, a bar of it, and the figure behind it."""

    name: str
    value: str
    bar: Markup
    raw: str
    link: str


@dataclass(frozen=True, slots=True)
class Row:
    """An option, a package of two, or no action."""

    id: str
    descriptions: Sequence[str]
    parts: Sequence[Part]
    score: str
    bar: Markup
    net: str
    better: str
    tags: Sequence[str]
    besides: str
    recommended: bool
    place: str
    """Where it stands in the review; its numbers open from there."""


@dataclass(frozen=True, slots=True)
class Table:
    """All that there is to choose from, and how clear the choice is."""

    rows: Sequence[Row]
    screened: Sequence[tuple[str, str]]
    weights: Sequence[tuple[str, str, str]]
    measure: str
    gap: str
    says: Sequence[str]
    money: bool
    gap_link: str


def table_of(review: str, document: Mapping[str, Any], catalogue: Catalogue | None) -> Table | None:
    """The table of a review's document; none where nothing is to be raised."""
    options = document["options"]
    if options is None:
        return None
    named = document["recommendation"]["option"]
    known = {each.id: each for each in catalogue.options} if catalogue else {}
    money = any(row["net"] is not None for row in options["rows"])
    return Table(
        [_row(row, named, known, document["currency"], opened(review, f"/options/rows/{place}"))
         for place, row in enumerate(options["rows"])],
        [(each["option"], each["why"]) for each in options["screened"]],
        [(CRITERIA[name][0], percent(options["weights"][name]), CRITERIA[name][1]) for name in CRITERIA],
        INDICES.get(options["measure"]) or MEASURES[options["measure"]].name, tenths(options["gap"]),
        _sure(options, named, document["recommendation"].get("close", ())), money, opened(review, "/options/gap"),
    )  # fmt: skip


def _row(row: Mapping[str, Any], named: str | None, known: Mapping[str, Any], currency: str, place: str) -> Row:
    recommended = row["option"] == (named or "O0")
    tags = ["recommended"] if recommended else []
    if row["dominated_by"]:
        tags.append(f"dominated by {listed(row['dominated_by'])}")
    net, better = row["net"], row["better_than_nothing"]
    return Row(
        row["option"], row["descriptions"], _parts(row, currency, place), tenths(row["score"]), _bar(row["score"]),
        "" if net is None else _signed(net), "" if better is None else f"{Decimal(better):.2f}", tags,
        "; ".join(_about(known[each]) for each in row["options"] if each in known and each != "O0"), recommended, place,
    )  # fmt: skip


def _parts(row: Mapping[str, Any], currency: str, place: str) -> list[Part]:
    closes = " and ".join(f"{Decimal(each['probability']):.2f} · {tenths(each['mean'])} points"
                          for each in row["effects"] if row["option"] != "O0")  # fmt: skip
    raw = {
        "benefit": closes or "nothing is raised",
        "risk": f"{_plain(row['expected_loss'])} {currency} expected loss",
        "cost": f"{_plain(row['cost'])} {currency}",
        "effort": f"{tenths(row['hours'])} h",
        "time": f"{_plain(row['weeks'])} weeks",
    }
    return [
        Part(title, tenths(row["values"][name]), _bar(row["values"][name]), raw[name], f"{place}/values/{name}")
        for name, (title, _) in CRITERIA.items()
    ]


def _about(option: Any) -> str:
    sources = {each.source for each in option.effects.values()}
    words = [f"{option.id}: {option.change} level of change", f"difficulty {option.difficulty} of 5",
             "can be taken back" if option.reversible else "cannot be taken back"]  # fmt: skip
    words += [f"estimate: {listed(sorted(sources))}"] if sources else []
    words += [f"must not get worse: {option.balance}"] if option.balance else []
    return ", ".join(words + [f"may go wrong: {each.what} ({percent(str(each.probability))})" for each in option.risks])


def _sure(options: Mapping[str, Any], named: str | None, close: Sequence[str]) -> list[str]:
    """How sensitive the table is."""
    best, first = options["best"], options["first_in_variants"]
    words = [f"{best} is first, and in {first} of 10 variants in which one weight is halved or half as much again."]
    if options["clear"]:
        words.append("The choice is clear: 5 points ahead of the next, and of doing nothing, and likely to pay.")
    else:
        words.append("It is a close call: prefer what changes less, can be taken back, and takes fewer hours.")
    if options["weights_assumed"]:
        words.append("Nobody has said yet what a full swing of each criterion is worth: the weights are assumed, and"
                     " nothing is told in money.")  # fmt: skip
    if named != best and best != "O0" and best not in close:
        words.append(f"{best} is of another class than is recommended: who decides says why.")
    return words


def _bar(value: str) -> Markup:
    return gauge(Decimal(value), _HUNDRED)


def _plain(value: str) -> str:
    number = Decimal(value)
    return grouped(number.to_integral_value() if number == number.to_integral_value() else number.quantize(Decimal(1)))


def _signed(value: str) -> str:
    number = Decimal(value).quantize(Decimal(1))
    return f"{MINUS if number < 0 else ''}{grouped(abs(number))}"
