"""SQLAlchemy Core statements, compiled once for a dialect and executed on the bare driver.

The statements are Core's and the tables are SQLModel's; what is left out is the work that Core repeats for every
execution. Measured in `docs/benchmarks.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.cache_key import CacheKey
from sqlalchemy.sql.compiler import SQLCompiler

from shared.store.entity import Row, settled

SQLITE: sa.Dialect = SQLiteDialect_pysqlite(paramstyle="qmark")
POSTGRES: sa.Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

R = TypeVar("R", bound=Row)
Values = Sequence[Any]


_WRITTEN = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\S+)")


class Statement:
    """One Core statement in the words of one dialect."""

    def __init__(
        self,
        core: sa.sql.expression.Executable,
        dialect: sa.Dialect,
        keys: Sequence[str] | None = None,
        shape: CacheKey | None = None,
    ):
        element = cast(sa.ClauseElement, core)
        # A list of constants in `column.in_([...])` is written out, one parameter each.
        words = element.compile(
            dialect=dialect, column_keys=keys, cache_key=shape, compile_kwargs={"render_postcompile": True}
        )
        compiled = self._compiled = cast(SQLCompiler, words)
        self.text = compiled.string
        self.locks = "FOR UPDATE" in self.text
        written = _WRITTEN.match(self.text)
        self.table = written[1] if written else None
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())
        processors = compiled._bind_processors
        self.binders: tuple[Callable[[Any], Any] | None, ...] = tuple(
            _day_text
            if dialect is SQLITE and name in compiled.binds and isinstance(compiled.binds[name].type, sa.Date)
            else cast("Callable[[Any], Any] | None", processors.get(name))
            for name in self.names
        )
        self._fields = [name.removeprefix("key_") for name in self.names]
        self._bound = [(place, binder) for place, binder in enumerate(self.binders) if binder is not None]
        self.constants: Mapping[str, Any] = compiled.params
        self.readers = tuple(_reader(column[3], dialect) for column in (compiled._result_columns or ()))
        self._read = [(place, reader) for place, reader in enumerate(self.readers) if reader is not None]
        self.plain = not self._read

    def values(self, parameters: Mapping[str, Any] | None = None) -> Values:
        """The positional parameters of one execution, in the driver's terms."""
        bound: Mapping[str, Any] = self.constants if not parameters else {**self.constants, **parameters}
        return tuple(
            bound[name] if binder is None else binder(bound[name])
            for name, binder in zip(self.names, self.binders, strict=True)
        )

    def constants_of(self, shape: CacheKey) -> Mapping[str, Any]:
        """The constants of another statement of the same shape, to be bound by `values`."""
        return self._compiled.construct_params(extracted_parameters=shape.bindparams)

    def of_fields(self, fields: Mapping[str, Any]) -> list[Any]:
        """The positional parameters from the fields of a row; `key_<name>` stands for the field of that name."""
        values = [fields[name] for name in self._fields]
        for place, binder in self._bound:
            values[place] = binder(values[place])
        return values

    def of_values(self, names: Sequence[str]) -> Callable[[Sequence[Any]], Values]:
        """What makes the positional parameters from values that come in the order of these names."""
        take = itemgetter(*(names.index(name) for name in self._fields))
        binders = [(place, binder) for place, binder in enumerate(self.binders) if binder is not None]

        def bound(values: Sequence[Any]) -> Values:
            found = list(take(values))
            for place, binder in binders:
                found[place] = binder(found[place])
            return found

        return bound

    def read(self, record: Sequence[Any]) -> Sequence[Any]:
        """One record of the driver in Python's terms."""
        if self.plain:
            return record
        values = list(record)
        for place, reader in self._read:
            values[place] = reader(values[place])
        return values


class Raw(Statement):
    """A statement in words that both dialects understand, or that were chosen for one; it may lock what it meets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.locks = True
        self.plain = True


@lru_cache(maxsize=4096)
def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _reader(kind: Any, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """What brings a value of the driver into Python's terms; asyncpg does that for numbers by itself."""
    if kind is None or (dialect is POSTGRES and isinstance(kind, sa.Numeric | sa.Float)):
        return None
    return cast("Callable[[Any], Any] | None", kind._cached_result_processor(dialect, None))


class OneOf(sa.sql.expression.ColumnElement[bool]):
    """`column` is one of the values of a list parameter, whatever its length, in one prepared statement."""

    # Its parts are not traversed, so two of them would look alike.
    inherit_cache = False
    _is_implicitly_boolean = True

    def __init__(self, column: Any, name: str, values: ListOf | None = None) -> None:
        self.column = column
        self.parameter: sa.BindParameter[Any] = sa.bindparam(name, type_=values or ListOf())
        self.type = sa.Boolean()


class ListOf(sa.types.TypeDecorator[list[Any]]):
    """A list of ids as one parameter: an array for PostgreSQL, JSON for SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: Any = None) -> None:
        super().__init__()
        self.item = item or sa.Text()

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return sa.ARRAY(self.item) if dialect.name == "postgresql" else sa.Text()

    def process_bind_param(self, value: Iterable[Any] | None, dialect: sa.Dialect) -> Any:
        values = list(value or ())
        if dialect.name == "postgresql":
            return values
        return json.dumps(values)


def naming(column: Any, *keys: str | None) -> sa.ColumnElement[bool]:
    """Rows in which a JSON column names one of these; what it names them as is judged row by row."""
    text = sa.type_coerce(column, sa.Text)
    return sa.or_(sa.false(), *(text.contains(f'"{each}"', autoescape=True) for each in keys if each is not None))


@compiles(OneOf, "sqlite")
def _one_of_sqlite(element: OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.parameter, **kw)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(OneOf, "postgresql")
def _one_of_postgresql(element: OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    kw["render_bind_cast"] = False
    return f"{compiler.process(element.column, **kw)} = ANY({compiler.process(element.parameter, **kw)})"


def insert_into(table: sa.Table, dialect: sa.Dialect) -> Any:
    """An insert that can say what happens on conflict; both dialects share the words."""
    return insert_sqlite(table) if dialect is SQLITE else insert_postgres(table)


class Table:
    """The statements that the write path needs for one table, and the way between rows and parameters."""

    def __init__(self, model: type[Row], dialect: sa.Dialect) -> None:
        self.model = settled(model)
        self.dialect = dialect
        self.table: sa.Table = model.__table__  # type: ignore[attr-defined]
        column = self.table.c
        self.columns = [each.name for each in self.table.columns]
        self.keys = [each.name for each in self.table.primary_key.columns]
        given = [name for name in self.columns if self.table.autoincrement_column is not column[name]]
        rest = [name for name in given if name not in self.keys]
        match = self.match = sa.and_(
            *(column[key] == sa.bindparam(f"key_{key}", type_=column[key].type) for key in self.keys)
        )
        self.insert = Statement(sa.insert(self.table), dialect, given)
        self.delete = Statement(sa.delete(self.table).where(match), dialect)
        self.update = Statement(sa.update(self.table).where(match), dialect, rest) if rest else None
        insert = insert_into(self.table, dialect)
        onto = (
            insert.on_conflict_do_update(index_elements=self.keys, set_={name: insert.excluded[name] for name in rest})
            if rest
            else insert.on_conflict_do_nothing(index_elements=self.keys)
        )
        self.upsert = Statement(onto, dialect, self.columns)
        self.begin = Statement(insert.on_conflict_do_nothing(index_elements=self.keys), dialect, given)
        self.select = Statement(sa.select(self.table).where(match), dialect)
        several = sa.select(self.table).where(OneOf(column[self.keys[0]], "keys"))
        several = several.order_by(*(column[key] for key in self.keys))
        self.several = Statement(several, dialect)
        self.locked = (
            self.select
            if dialect is SQLITE
            else Statement(sa.select(self.table).where(match).with_for_update(), dialect)
        )
        self.several_locked = self.several if dialect is SQLITE else Statement(several.with_for_update(), dialect)

    def parameters(self, row: Row, statement: Statement) -> Values:
        """A row's fields as the parameters of a statement on its table."""
        return statement.of_fields(row.__dict__)

    def row(self, record: Sequence[Any]) -> Row:
        """The row a record stands for."""
        row = object.__new__(self.model)
        row.__dict__.update(zip(self.columns, self.select.read(record), strict=True))
        return row


def making(models: Iterable[type[Row]], dialect: sa.Dialect) -> list[str]:
    """The statements that make these tables where there is nothing yet."""
    words: list[str] = []
    for model in models:
        table: sa.Table = model.__table__  # type: ignore[attr-defined]
        words.append(str(CreateTable(table).compile(dialect=dialect)))
        words += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    return words


@cache
def table_of(model: type[Row], dialect: sa.Dialect) -> Table:
    """The statements of a table in a dialect, compiled at first use."""
    return Table(model, dialect)
