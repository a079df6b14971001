"""Many rows in one statement, given to the database as one JSON parameter.

`bulk_create` prepares every value through its field and quotes it again for the statement, about
0.1 ms a row: of a crowd at one hot item that is most of the work. Here the rows go as they are,
and the database takes them apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import BinaryField, DecimalField, Field, JSONField, Model

Row = TypeVar("Row", bound=Model)
IGNORED = " ON CONFLICT DO NOTHING"


@dataclass(frozen=True)
class _Column:
    """Where a field's value goes, and how the database reads it out of JSON."""

    attname: str
    name: str
    type: str
    out: str  # as SQLite reads it


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
    named = {field.name: _name(field) for field in type(made[0])._meta.concrete_fields}
    key = ", ".join(named[name] for name in unique)
    changes = ", ".join(f"{named[name]} = EXCLUDED.{named[name]}" for name in fields)
    _run(made, f" ON CONFLICT ({key}) DO UPDATE SET {changes}")


def _run(rows: Sequence[Model], end: str) -> list[int]:
    model, vendor = type(rows[0]), connection.vendor
    columns, adapt = _columns(model, vendor), connection.ops.adapt_datetimefield_value
    given = json.dumps([_plain(row, columns, adapt) for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_into(model, vendor) + end, [given])
        return [key for (key,) in cursor.fetchall()] if "RETURNING" in end else []


def _plain(
    row: Model, columns: Sequence[_Column], adapt: Callable[[datetime], Any]
) -> dict[str, Any]:
    values = row.__dict__
    found = {column.attname: values[column.attname] for column in columns}
    for name, value in found.items():
        if isinstance(value, datetime):
            found[name] = str(adapt(value))
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
    return _Column(field.attname, _name(field), str(field.db_type(connection)), out)


def _name(field: Any) -> str:
    return connection.ops.quote_name(field.column)
