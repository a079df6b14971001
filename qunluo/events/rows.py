"""Many rows in one statement, given to the database as one JSON parameter.

`bulk_create` prepares every value through its field and quotes it again for the statement, about
0.1 ms a row: of a crowd at one hot item that is most of the work. Here the rows go as they are,
and the database takes them apart. `among` looks many up by one parameter, for the same reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import (
    BinaryField,
    DateTimeField,
    DecimalField,
    Field,
    JSONField,
    Lookup,
    Model,
)
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=Model)
IGNORED = " ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class _Column:
    """Where a field's value goes, and how the database reads it out of JSON."""

    attname: str
    name: str
    type: str
    out: str  # as SQLite reads it
    timed: bool  # an instant


def new_row(model: type[Row], **values: Any) -> Row:
    """A new row, told by its columns (`order_id`, not `order`); the others get the model's
    defaults. `Model()` asks each field: for many rows that took as long as writing them."""
    known, made = _defaults(model)
    row = model.__new__(model)
    row.__dict__.update(known, _state=ModelState())
    row.__dict__.update((name, make()) for name, make in made)
    row.__dict__.update(values)
    if len(row.__dict__) > len(known) + 1:
        raise TypeError(f"not all columns of {model.__name__}: {', '.join(values)}")
    return row


Defaults = tuple[Mapping[str, Any], Sequence[tuple[str, Callable[[], Any]]]]


@cache
def _defaults(model: type[Model]) -> Defaults:
    """Those that are the same for all, and how those are made that a row has of its own."""
    fields = [field for field in model._meta.concrete_fields if not field.has_db_default()]
    own = [field for field in fields if field.has_default() and callable(field.default)]
    made = [(field.attname, field.get_default) for field in own]
    return {field.attname: field.get_default() for field in fields}, made


def do_insert(rows: Iterable[Row], *, ignore: bool = False) -> list[Row]:
    """Adds new rows of one model, in this order, with their keys; with `ignore`, those that a
    unique key already has are left out, and no keys are told. Columns with a default of the
    database get that."""
    made = list(rows)
    if not made:
        return made
    keys = _run(made, IGNORED if ignore else f" RETURNING {_name(made[0]._meta.pk)}")
    for row, key in zip(made, keys, strict=False):
        row.pk = key
        row._state.adding, row._state.db = False, connection.alias
    return made


def do_replace(rows: Iterable[Row], *, unique: Sequence[str], fields: Sequence[str]) -> None:
    """Writes `fields` of rows known by their `unique` fields, or adds them."""
    made = list(rows)
    if not made:
        return
    _run(made, _over(type(made[0]), tuple(unique), tuple(fields)))


@cache
def _over(model: type[Model], unique: Sequence[str], fields: Sequence[str]) -> str:
    named = {field.name: _name(field) for field in model._meta.concrete_fields}
    key = ", ".join(named[name] for name in unique)
    changes = ", ".join(f"{named[name]} = EXCLUDED.{named[name]}" for name in fields)
    return f" ON CONFLICT ({key}) DO UPDATE SET {changes}"


def _run(rows: Sequence[Model], end: str) -> list[int]:
    model, vendor = type(rows[0]), connection.vendor
    columns = _columns(model, vendor)
    names, timed = [c.attname for c in columns], [c.attname for c in columns if c.timed]
    adapt = connection.ops.adapt_datetimefield_value
    given = json.dumps([_plain(row, names, timed, adapt) for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_into(model, vendor) + end, [given])
        return [key for (key,) in cursor.fetchall()] if "RETURNING" in end else []


def _plain(
    row: Model, names: Sequence[str], timed: Sequence[str], adapt: Callable[[Any], Any]
) -> dict[str, Any]:
    values = row.__dict__
    found = {name: values[name] for name in names}
    for name in timed:
        if found[name] is not None:
            found[name] = str(adapt(found[name]))
    return found


@cache
def _into(model: type[Model], vendor: str) -> str:
    columns, table = _columns(model, vendor), connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(column.name for column in columns)
    if vendor == "postgresql":
        found = ", ".join(f'"{column.attname}"' for column in columns)
        types = ", ".join(f'"{column.attname}" {column.type}' for column in columns)
        source = f"SELECT {found} FROM json_to_recordset(%s::json) AS given({types})"
    else:
        found = ", ".join(column.out for column in columns)
        source = f"SELECT {found} FROM json_each(%s) WHERE true"  # else ON is read as a join's
    return f"INSERT INTO {table} ({names}) {source}"


@cache
def _columns(model: type[Model], vendor: str) -> tuple[_Column, ...]:
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    return tuple(_column(field) for field in fields if not field.has_db_default())


def _column(field: Field[Any, Any]) -> _Column:
    if isinstance(field, BinaryField | DecimalField):
        raise TypeError(f"{field} does not go through JSON unchanged")
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        raise TypeError(f"{field} is filled in by the ORM, which is not asked here")
    value = f"json_extract(value, '$.{field.attname}')"
    out = f"nullif(json_quote({value}), 'null')" if isinstance(field, JSONField) else value
    timed = isinstance(field, DateTimeField)
    return _Column(field.attname, _name(field), str(field.db_type(connection)), out, timed)


@Field.register_lookup
class Among(Lookup):
    """`field__among=values` is `field__in=values` with all values in one parameter: one of each
    took a millisecond for 64."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, given = self.process_lhs(compiler, connection)
        every = "SELECT value FROM json_each(%s)"
        return f"{column} IN ({every})", [*given, json.dumps(self._all())]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, given = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*given, self._all()]

    def _all(self) -> list[Any]:
        prepare = self.lhs.output_field.get_prep_value
        return [prepare(value) for value in self.rhs]


def _name(field: Any) -> str:
    return connection.ops.quote_name(field.column)
