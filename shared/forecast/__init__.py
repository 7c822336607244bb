"""What a period will have brought at its end: one arithmetic for everybody who shows it.

The method is a life table of deals. From the thirteen whole weeks before the day of asking it takes, for each age of a
deal in weeks, how many of the open deals were won and how many were lost within a week; how many deals were opened a
week; and what a won deal brought. Then it lets the deals that are open now, and those that will be opened at the same
rate, grow older week by week up to the end of the period. The forecast is what has been won in the period so far plus
what these deals are expected to bring in it.

A deal with an estimate is worth its estimate times what estimates have come to, any other the average won deal. The
80 % range follows from how far the revenue of each of the thirteen weeks lay from what the table expects of it.
Numbers of deals and minor units of money go in; what comes out is rounded to whole minor units once.
"""

from __future__ import annotations

from shared.forecast.ahead import METHOD, RANGE, Forecast, NotForeseeable, forecast
from shared.forecast.history import Happening, History, Known, Numbers, Told, happenings, monday_of, tell, week_of

__all__ = [
    "METHOD",
    "RANGE",
    "Forecast",
    "Happening",
    "History",
    "Known",
    "NotForeseeable",
    "Numbers",
    "Told",
    "forecast",
    "happenings",
    "monday_of",
    "tell",
    "week_of",
]
