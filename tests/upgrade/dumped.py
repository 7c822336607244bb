"""Databases of a released state as files: what every table was like, and every row with its columns named."""

from __future__ import annotations

import lzma
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

RELEASED = Path(__file__).parent / "released"
SERVICES = ("teams", "targets", "meetings", "metrics")
_META = re.compile(r"^(--|SET |SELECT pg_catalog|\\)|^\s*$")


def dump_of_file(file: Path) -> Iterator[str]:
    """The statements that make a SQLite database anew, one a line."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        kept = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        made = connection.execute(f"{kept} ORDER BY type = 'index', name").fetchall()
        for _, statement in made:
            yield " ".join(re.sub("--.*", "", statement).split()) + ";"
        for name, statement in made:
            if statement.startswith("CREATE TABLE"):
                yield from _rows(connection, name)


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = [f'"{each[1]}"' for each in connection.execute(f'PRAGMA table_info("{table}")')]
    quoted = ", ".join(f"quote({each})" for each in columns)
    for row in connection.execute(f'SELECT {quoted} FROM "{table}" ORDER BY 1'):
        yield f'INSERT INTO "{table}" ({", ".join(columns)}) VALUES ({", ".join(row)});'


def without_comments(dump: str) -> list[str]:
    """The statements of pg_dump's that make a database anew, one a line but for those of tables."""
    return [line for line in dump.split("\n") if not _META.match(line)]


def written(name: str, lines: list[str]) -> None:
    """Keep a dump; the same bytes for the same statements."""
    text = "\n".join(lines) + "\n"
    (RELEASED / f"{name}.sql.xz").write_bytes(lzma.compress(text.encode(), preset=9))


def read(name: str) -> str:
    """A dump that is kept."""
    return lzma.decompress((RELEASED / f"{name}.sql.xz").read_bytes()).decode()


def parts(dump: str) -> tuple[str, list[str]]:
    """What makes the tables, and what writes the rows as the released version does, a statement each."""
    tables = [line for line in dump.split("\n") if not line.startswith("INSERT INTO")]
    rows = [line for line in dump.split("\n") if line.startswith("INSERT INTO")]
    return "\n".join(tables), rows
