"""Whether a service can work with its database, before it starts; where not, a sentence says what to do.

A database that a later version has brought further is served all the same: the version before goes on while it is
upgraded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import TypeVar

from alembic.util.exc import CommandError

from concert.checks.finding import bare
from shared.application import Service
from shared.store.migrate import lacking, migrate, standing

T = TypeVar("T")
_NO_SUCH_DATABASE = "3D000"
_NOT_LET_IN = frozenset({"28000", "28P01"})


class DatabaseUnfit(Exception):
    """A service cannot work with its database; the message says why, and what to do."""


def bring_up_to_date(service: Service, url: str) -> None:
    """Apply the revisions that the database lacks. Raises DatabaseUnfit."""
    _asked(service, url, lambda: migrate(service, url))


def require_up_to_date(service: Service, url: str) -> None:
    """See that the database has what this version needs. Raises DatabaseUnfit."""
    found = _asked(service, url, lambda: standing(service, url))
    try:
        missing = lacking(service, found.revision if found else None)
    except LookupError:
        return
    if missing:
        raise DatabaseUnfit(
            f"The database of {service.name} lacks the revisions {', '.join(missing)}: run `concert migrate`."
        )


def _asked(service: Service, url: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except Exception as fault:
        sentence = _sentence(service.name, url, list(_causes(fault)))
        if sentence is None:
            raise
        raise DatabaseUnfit(sentence) from fault


def _sentence(service: str, url: str, causes: list[BaseException]) -> str | None:
    """What to do about a failure; none for one that is not the database's."""
    where = bare(url.replace("{service}", service))
    states = {getattr(cause, "sqlstate", None) for cause in causes}
    if _NO_SUCH_DATABASE in states:
        return f"There is no database {where}: make it, or let CONCERT_STORE_URL name the right one."
    if states & _NOT_LET_IN:
        return f"{where} does not let us in: see user and password in CONCERT_STORE_URL."
    if any(isinstance(cause, CommandError) for cause in causes):
        return (
            f"The database of {service} is at a revision that this version does not know: run the version of Concert"
            " that brought it there, or a later one."
        )
    if any(isinstance(cause, sqlite3.Error) for cause in causes):
        return f"The database of {service} cannot be used ({causes[-1]}): restore {url} from a backup."
    if any(isinstance(cause, OSError) for cause in causes):
        return f"{where} does not answer: see that it runs, and that CONCERT_STORE_URL is right."
    return None


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
