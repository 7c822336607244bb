"""What an address of the page asks for, and the addresses that lead on from it. All that is chosen stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

from fastapi import Request

from services.metrics.page.layout import LAYOUTS
from services.metrics.views.question import BREAKDOWNS
from shared.asked_period import AskedPeriod
from shared.errors import Fault, Invalid, NotFound
from shared.period import BadPeriod, Period

FILTERS: Final = ("department", "team", "group", "member", "customer", "product", "region", "kind")
_OF_THE_PAGE: Final = ("view", "breakdown", *FILTERS)


@dataclass(frozen=True, slots=True)
class Asked:
    """A view, a period (none: the latest that has something to show), filters, and by what to break it down."""

    view: str | None = None
    period: str | None = None
    breakdown: str | None = None
    filters: Mapping[str, str] = ()  # type: ignore[assignment]

    @classmethod
    def of(cls, request: Request) -> Self:
        """What a request asks for. Raises NotFound for a view that does not exist, Invalid for the rest."""
        given = {name: value for name, value in request.query_params.items() if value}
        view, breakdown = given.get("view"), given.get("breakdown")
        if view is not None and view not in LAYOUTS:
            raise NotFound(f"There is no view {view!r}; there are {', '.join(LAYOUTS)}.", [Fault("/view", "not known")])
        if breakdown is not None and breakdown not in BREAKDOWNS:
            detail = f"a breakdown is by one of {', '.join(BREAKDOWNS)}; not by {breakdown!r}"
            raise Invalid(detail, [Fault("/breakdown", detail)])
        return cls(view, _period(given), breakdown, {name: given[name] for name in FILTERS if name in given})

    @property
    def asked_period(self) -> AskedPeriod | None:
        """The period, if one was asked for."""
        return AskedPeriod(self.period) if self.period else None

    def on(self, **changes: Any) -> Self:
        """The same question but for some changes; a filter that becomes none is dropped."""
        filters = {name: changes.pop(name, self.filters.get(name)) for name in FILTERS}
        kept = {name: value for name, value in filters.items() if value}
        return replace(self, **changes, filters=kept)

    def query(self, **more: str | None) -> dict[str, str]:
        """The parameters of the address."""
        given = {"view": self.view, **_of_period(self.period), "breakdown": self.breakdown, **self.filters, **more}
        return {name: value for name, value in given.items() if value}

    def url(self, path: str = "/", /, **changes: Any) -> str:
        """The address of the same question but for some changes."""
        return address(path, self.on(**changes).query())


def address(path: str, query: Mapping[str, str]) -> str:
    """A path with its parameters."""
    return f"{path}?{urlencode(query)}" if query else path


def dates_of(period: Period) -> dict[str, str]:
    """The first day of a period and the first day after it, as two fields of a form have them."""
    return {"from": period.start.isoformat(), "to": period.end.isoformat()}


def _period(given: Mapping[str, str]) -> str | None:
    period, start, end = given.get("period"), given.get("from"), given.get("to")
    if period is None and start is None and end is None:
        return None
    try:
        # A form that offers both sends both: the days, when they were filled in, are what was meant.
        return AskedPeriod.of(None if start or end else period, start, end).text
    except BadPeriod as fault:
        raise Invalid(str(fault), [Fault(f"/{fault.part}", str(fault))]) from None


def _of_period(period: str | None) -> dict[str, str | None]:
    start, slash, end = (period or "").partition("/")
    return {"from": start, "to": end} if slash else {"period": period}
