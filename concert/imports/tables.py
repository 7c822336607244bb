"""Reading tables: CSV as people and programs write it (RFC 4180 and its neighbours), each row with its line.

A file that cannot be understood at all is Unreadable; a row that cannot is refused in the report, and the others stay.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from concert.imports import cells
from concert.imports.cells import BadCell
from concert.imports.report import Report
from shared.money import Money, NotMoney

T = TypeVar("T")
Broken = Callable[[int, dict[str, str]], None]
"""Told of each row that cannot be read: its line, and what can be guessed of its cells."""
_DELIMITERS = ",;\t|"
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_LONGEST_ROW = 100
"""How many lines a row may go over: a quote that is never closed shall not swallow the rest of the file."""


class Unreadable(Exception):
    """A file cannot be imported at all; the message says which, where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, by column name."""

    file: str
    line: int
    places: dict[str, int]
    cells: list[str]

    def text(self, column: str) -> str | None:
        """A cell without blanks around it; none when it says nothing."""
        return cells.text(self.cells[self.places[column]])

    def need(self, column: str) -> str:
        """A cell that must say something. Raises BadCell."""
        value = self.text(column)
        if value is None:
            raise BadCell(f"{column} is empty")
        return cells.name(column, value)

    def name(self, column: str) -> str | None:
        """A cell that may name something. Raises BadCell."""
        value = self.text(column)
        return None if value is None else cells.name(column, value)

    def day(self, column: str) -> date | None:
        """A cell that may name a day. Raises BadCell."""
        value = self.text(column)
        return None if value is None else cells.day(column, value)

    def number(self, column: str) -> Decimal | None:
        """A cell that may hold a number. Raises BadCell."""
        value = self.text(column)
        return None if value is None else cells.number(column, value)

    def money(self, column: str, currency: str) -> Money | None:
        """A cell that may hold an amount of money, which is not negative. Raises BadCell."""
        value = self.text(column)
        if value is None:
            return None
        amount = cells.money(column, value, currency)
        if amount.minor < 0:
            raise BadCell(f"{column} is {value!r}; it must not be negative")
        return amount

    def needed_day(self, column: str) -> date:
        """A cell that must name a day. Raises BadCell."""
        return cells.day(column, self.need(column))

    def needed_number(self, column: str) -> Decimal:
        """A cell that must hold a number. Raises BadCell."""
        return cells.number(column, self.need(column))

    def needed_money(self, column: str, currency: str) -> Money:
        """A cell that must hold an amount of money, which is not negative. Raises BadCell."""
        self.need(column)
        amount = self.money(column, currency)
        assert amount is not None
        return amount


def each(rows: Iterable[Row], report: Report, read: Callable[[Row], T]) -> Iterator[T]:
    """What is read from each row; a row with a bad cell is refused and left out."""
    for row in rows:
        try:
            yield read(row)
        except (BadCell, NotMoney) as fault:
            report.refuse(row.file, row.line, str(fault))


def read_header(path: Path) -> set[str]:
    """The names in the first line of a file. Raises Unreadable."""
    first = _Lines(path).header()
    return max((set(_split(first, delimiter)) for delimiter in _DELIMITERS), key=lambda names: len(names))


def read_table(
    path: Path,
    report: Report,
    *,
    columns: Sequence[str] | None = None,
    required: Sequence[str] = (),
    broken: Broken | None = None,
) -> Iterator[Row]:
    """The rows of a file. With `columns` it has no header. Raises Unreadable at once; broken rows are reported."""
    lines = _Lines(path)
    first = lines.header()
    if columns is not None:
        delimiter = max(_DELIMITERS, key=lambda each: len(_split(first, each)))
        places = {name: place for place, name in enumerate(columns)}
        return _Table(lines, delimiter, places, len(columns), report, broken).rows(0)
    wanted = {name.lower() for name in required}

    def fitness(delimiter: str) -> tuple[int, int]:
        names = _split(first, delimiter)
        return len(wanted & {name.lower() for name in names}), len(names)

    delimiter = max(_DELIMITERS, key=fitness)
    header = _split(first, delimiter)
    places = _places(path, header, delimiter, required)
    return _Table(lines, delimiter, places, len(header), report, broken).rows(1)


def _places(path: Path, header: list[str], delimiter: str, required: Sequence[str]) -> dict[str, int]:
    """Where each required column stands; capitals do not matter. Raises Unreadable."""
    lower = [name.lower() for name in header]
    missing = [name for name in required if name.lower() not in lower]
    if missing:
        raise Unreadable(
            f"{path.name}, line 1: the column {', '.join(missing)} is missing. Found, with {_NAMES[delimiter]} between "
            f"them: {', '.join(header)}. Needed: {', '.join(required)}."
        )
    twice = sorted({name for name in required if lower.count(name.lower()) > 1})
    if twice:
        raise Unreadable(f"{path.name}, line 1: the column {', '.join(twice)} stands there more than once.")
    return {name: lower.index(name.lower()) for name in required}


class _Lines:
    """The lines of a file, as bytes: one that is not UTF-8 spoils only its own row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            raw = path.read_bytes()
        except OSError as fault:
            raise Unreadable(f"{path} cannot be read: {fault.strerror}.") from fault
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in raw[:4096]:
            raise Unreadable(f"{path.name}: this is UTF-16 or no text at all; save it as CSV in UTF-8 and try again.")
        self.raw = raw.removeprefix(codecs.BOM_UTF8).splitlines()
        if not any(line.strip() for line in self.raw):
            raise Unreadable(f"{path.name} is empty.")

    def header(self) -> str:
        """The first line. Raises Unreadable."""
        try:
            return self.text(0, ",")
        except BadCell as fault:
            raise Unreadable(f"{self.path.name}, line 1: {fault}.") from None

    def text(self, place: int, delimiter: str) -> str:
        """A line as text. Raises BadCell when it is not UTF-8."""
        line = self.raw[place]
        try:
            return line.decode()
        except UnicodeDecodeError as fault:
            byte, cell = line[fault.start : fault.start + 1], line[: fault.start].count(delimiter.encode()) + 1
            raise BadCell(
                f"byte 0x{byte.hex().upper()} in cell {cell} is not UTF-8 (in Windows-1252 it would be "
                f"{byte.decode('cp1252', 'replace')!r}); save the file as UTF-8"
            ) from None


@dataclass(frozen=True, slots=True)
class _Table:
    """A file whose columns are known."""

    lines: _Lines
    delimiter: str
    places: dict[str, int]
    width: int
    report: Report
    broken: Broken | None

    def rows(self, first: int) -> Iterator[Row]:
        """The rows from a line on; those that are broken are refused."""
        file = self.lines.path.name
        for line, record in self._records(first):
            if '"' in record:
                try:
                    found = next(csv.reader([record], delimiter=self.delimiter, strict=True))
                except csv.Error as fault:
                    self._refuse(line, f"{fault}; inside a quoted cell a quote is written twice")
                    continue
            else:
                found = record.split(self.delimiter)
            if not any(cell.strip() for cell in found):
                continue
            if len(found) == self.width:
                yield Row(file, line, self.places, found)
            else:
                counted = f"the row has {len(found)} cells, {self.width} are expected"
                self._refuse(line, f"{counted} (with {_NAMES[self.delimiter]} between them)")

    def _records(self, first: int) -> Iterator[tuple[int, str]]:
        """The rows as text, with the number of their first line; a quoted cell may go over several lines."""
        whole = _whole(self.delimiter)
        place, end = first, len(self.lines.raw)
        while place < end:
            begin, place = place, place + 1
            try:
                record = self.lines.text(begin, self.delimiter)
                if '"' in record:
                    while not whole(record):
                        if place == end or place - begin == _LONGEST_ROW:
                            raise BadCell("a quote is opened and never closed")
                        record += "\n" + self.lines.text(place, self.delimiter)
                        place += 1
            except BadCell as fault:
                place = begin + 1
                self._refuse(place, str(fault))
            else:
                yield begin + 1, record

    def _refuse(self, line: int, why: str) -> None:
        self.report.refuse(self.lines.path.name, line, why)
        if self.broken is not None:
            rest = self.lines.raw[line - 1].decode(errors="replace").split(self.delimiter)
            self.broken(line, {name: rest[place] for name, place in self.places.items() if place < len(rest)})


def _whole(delimiter: str) -> Callable[[str], re.Match[str] | None]:
    """Says whether every quote that a text opens is closed in it."""
    cell = f'(?:"(?:[^"]++|"")*+"[^{delimiter}]*+|[^"{delimiter}][^{delimiter}]*+|)'
    return re.compile(f"(?:{cell}[{delimiter}])*+{cell}").fullmatch


def _split(line: str, delimiter: str) -> list[str]:
    """The names in a header."""
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
