"""Reading tables: CSV as people and programs write it, with the line of every row and a clear word for every fault."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

_DELIMITERS = ",;\t|"
_DAY_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y")
NOTHING = frozenset({"", "NULL", "null", "N/A"})


class Unreadable(Exception):
    """A file cannot be imported at all; the message says which, where, and what would be right."""


class BadCell(Exception):
    """A cell of a row does not hold what it must."""


@dataclass(slots=True)
class Report:
    """What happened to the rows of an import: what was repaired and how, what was refused and why."""

    repaired: list[tuple[str, int, str]] = field(default_factory=list)
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def repair(self, row: Row, what: str) -> None:
        """A row was taken with a repair."""
        self.repaired.append((row.file, row.line, what))

    def refuse(self, row: Row, why: str) -> None:
        """A row was not taken."""
        self.refused.append((row.file, row.line, why))

    def remark(self, what: str) -> None:
        """Something about the whole import that a reader should know."""
        if what not in self.remarks:
            self.remarks.append(what)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, by column name."""

    file: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str | None:
        """A cell without blanks around it; none when it says nothing."""
        value = self.cells.get(column, "").strip()
        return None if value in NOTHING else value

    def need(self, column: str) -> str:
        """A cell that must say something. Raises BadCell."""
        value = self.text(column)
        if value is None:
            raise BadCell(f"{column} is empty")
        return value

    def day(self, column: str) -> date | None:
        """A day: `2017-03-01`, with or without a time, or `3/1/2017`. Raises BadCell."""
        value = self.text(column)
        if value is None:
            return None
        for form in _DAY_FORMS:
            try:
                return datetime.strptime(value, form).date()  # noqa: DTZ007
            except ValueError:
                continue
        raise BadCell(f"{column} is {value!r}; a day is written as 2017-03-01 or 3/1/2017")

    def number(self, column: str) -> Decimal | None:
        """An exact number: `1054`, `$1,054.00`, `1.054,00`. Raises BadCell."""
        value = self.text(column)
        if value is None:
            return None
        try:
            number = Decimal(_plain(value))
        except InvalidOperation:
            raise BadCell(f"{column} is {value!r}, which is not a number") from None
        if not number.is_finite():
            raise BadCell(f"{column} is {value!r}, which is not a number")
        return number


def _plain(text: str) -> str:
    """A number without its currency sign and its thousands."""
    bare = text.replace("$", "").replace("€", "").replace(" ", "").replace("\u00a0", "")
    comma, point = bare.rfind(","), bare.rfind(".")
    if comma > point and len(bare) - comma != 4:
        return bare.replace(".", "").replace(",", ".")
    return bare.replace(",", "")


def read_header(path: Path) -> list[str]:
    """The names in the first line of a file."""
    rows, _ = _records(path)
    return next(((cells) for _, cells in rows), [])


def read_table(
    path: Path, report: Report, *, columns: Sequence[str] | None = None, required: Sequence[str] = ()
) -> Iterator[Row]:
    """The rows of a file. With `columns` it has no header. Raises Unreadable; broken rows go into the report."""
    records, _ = _records(path)
    names = list(columns) if columns else _header(path, records, required)
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        row = Row(path.name, line, dict(zip(names, cells, strict=False)))
        if len(cells) != len(names):
            report.refuse(row, f"the row has {len(cells)} cells, {len(names)} are expected")
            continue
        yield row


def _header(path: Path, records: Iterator[tuple[int, list[str]]], required: Sequence[str]) -> list[str]:
    names = [name.strip() for name in next((cells for _, cells in records), [])]
    missing = [name for name in required if name not in names]
    if missing:
        raise Unreadable(f"{path.name}, line 1: the column {', '.join(missing)} is missing; found {', '.join(names)}.")
    return names


def _records(path: Path) -> tuple[Iterator[tuple[int, list[str]]], str]:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise Unreadable(f"{path} cannot be read: {fault.strerror}.") from fault
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise Unreadable(
            f"{path.name}, line {line}: this is not UTF-8; save the file as UTF-8 and try again."
        ) from None
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return _numbered(path, reader), delimiter


def _numbered(path: Path, reader: csv.reader) -> Iterator[tuple[int, list[str]]]:  # type: ignore[valid-type]
    begin = 1
    try:
        for cells in reader:  # type: ignore[attr-defined]
            yield begin, cells
            begin = reader.line_num + 1  # type: ignore[attr-defined]
    except csv.Error as fault:
        raise Unreadable(f"{path.name}, line {begin}: {fault}.") from fault
