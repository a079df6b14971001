"""Full-text search in Django's terms: migration operations for a table, a filter for a queryset.

The SQL is `kit.fulltext`'s. A room that wants one declares an `Index`, has `operations(index)`
in a migration of its own, and asks with `matching`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connections, migrations, transaction
from django.db.models import Model, QuerySet

from qunluo.kit import fulltext
from qunluo.kit.fulltext import Index
from qunluo.kit.grams import wanted

M = TypeVar("M", bound=Model)
FEW = 20  # scopes that are worth a word each
NEWEST = 20_000  # rows that PostgreSQL reads one by one
_PLAN = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)"
    for name, value in {
        "enable_seqscan": "off", "enable_indexscan": "off", "enable_indexonlyscan": "off",
        "enable_nestloop": "off", "jit": "off", "work_mem": "32MB",
    }.items()
)  # fmt: skip
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


def matching(
    rows: QuerySet[M], text: str, *, limit: int, scopes: Sequence[int] = ()
) -> list[M]:
    """Those of the rows that have all words of the text, the newest first; none for no words.

    `scopes` (numbers of the index's scope column) tells what the rows are narrowed to, where
    that is known: it makes the search quicker, it filters nothing by itself.
    """
    index = _indexes[rows.model._meta.db_table]
    if not wanted(text):
        return []
    scopes = scopes if len(scopes) <= FEW else ()  # many are slower than the filters alone
    if connections[rows.db].vendor == "postgresql":
        return _match_postgres(index, rows, text, limit, scopes)
    found = rows.extra(  # noqa: S610 - our SQL
        tables=[index.name], where=[fulltext.where_sqlite(index)],
        params=[fulltext.query_sqlite(text, scopes)], order_by=[f"-{index.name}.rowid"],
    )  # fmt: skip
    return list(found[:limit])


def _match_postgres(
    index: Index, rows: QuerySet[M], text: str, limit: int, scopes: Sequence[int]
) -> list[M]:
    """PostgreSQL's index knows no order: of a common word it brings every row. So the newest
    rows are read one by one, where common words are; only what is rarer is looked up."""
    floor = _find_floor(index, rows, scopes)
    where, words = fulltext.where_rows(index, text)
    near = rows if floor is None else rows.filter(pk__gt=floor)
    found = list(near.extra(where=[where], params=words).order_by("-pk")[:limit])  # noqa: S610 - our SQL
    if floor is None or len(found) == limit:
        return found
    query = fulltext.query_postgres(text, scopes)
    far = rows.filter(pk__lte=floor).extra(  # noqa: S610 - our SQL
        where=[fulltext.where_postgres(index)], params=[query]
    )
    with _by_index(rows.db):
        ids = list(far.order_by("-pk").values_list("pk", flat=True)[: limit - len(found)])
    return [*found, *rows.filter(pk__in=ids).order_by("-pk")] if ids else found


def _find_floor(index: Index, rows: QuerySet[M], scopes: Sequence[int]) -> int | None:
    """Below whom the newest rows end; None where there are not that many."""
    all_rows = rows.model._default_manager.using(rows.db)
    own = all_rows.filter(**{index.scope: scopes[0]}) if len(scopes) == 1 else all_rows
    ids: QuerySet[Any, int] = own.order_by("-pk").values_list("pk", flat=True)
    return ids[NEWEST : NEWEST + 1].first()


@contextmanager
def _by_index(using: str) -> Iterator[None]:
    """PostgreSQL takes cutting a row into words for cheap, and would rather read the table."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute(_PLAN)
        yield
        transaction.set_rollback(True, using=using)  # nothing was written; the settings go
