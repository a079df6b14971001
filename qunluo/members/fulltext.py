"""Full-text search in Django's terms: migration operations for a table, a filter for a queryset.

The SQL is `kit.fulltext`'s. A room that wants one declares an `Index`, has `operations(index)`
in a migration of its own, and asks with `matching`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connections, migrations, router
from django.db.models import Model, QuerySet

from qunluo.kit import fulltext
from qunluo.kit.fulltext import Index

M = TypeVar("M", bound=Model)
_indexes: dict[str, Index] = {}


def declare(index: Index) -> Index:
    """Makes an index known: `matching` finds it by its table, and its triggers are renewed
    after migrations, which drop them with SQLite's tables."""
    _indexes[index.table] = index
    return index


MEMBERS = declare(Index("members_member", scope="community_id"))


def operations(index: Index) -> list[Any]:
    """What a migration does to make the index, and to undo it."""

    def build(apps: Any, editor: Any) -> None:
        _run(editor, [*fulltext.build_sqlite(index), *fulltext.build_triggers(index)],
             fulltext.build_postgres(index))  # fmt: skip

    def drop(apps: Any, editor: Any) -> None:
        _run(editor, fulltext.drop_sqlite(index), fulltext.drop_postgres(index))

    return [migrations.RunPython(build, drop)]


def _run(editor: Any, on_sqlite: list[str], on_postgres: list[str]) -> None:
    statements = on_postgres if editor.connection.vendor == "postgresql" else on_sqlite
    for statement in statements:
        editor.execute(statement, params=None)


def renew_triggers(using: str = "default", **_: Any) -> None:
    """Puts SQLite's triggers back where a migration has made a table anew."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for index in _indexes.values():
            if {index.table, index.name} <= tables:
                for statement in fulltext.build_triggers(index):
                    cursor.execute(statement)


def matching(rows: QuerySet[M], text: str, *, scopes: Sequence[int] = ()) -> QuerySet[M]:
    """Those of the rows that have all words of the text, the newest first; none for no words.

    Narrow by `scopes` (numbers of the index's scope column) besides other filters, where known.
    """
    index = _indexes[rows.model._meta.db_table]
    if connections[rows.db or router.db_for_read(rows.model)].vendor == "postgresql":
        query = fulltext.query_postgres(text, scopes)
        found = rows.extra(where=[fulltext.where_postgres(index)], params=[query])  # noqa: S610 - our SQL
        return found.order_by("-id") if query else rows.none()
    query = fulltext.query_sqlite(text, scopes)
    found = rows.extra(  # noqa: S610 - our SQL
        tables=[index.name], where=[fulltext.where_sqlite(index)], params=[query],
        order_by=[f"-{index.name}.rowid"],
    )  # fmt: skip
    return found if query else rows.none()
