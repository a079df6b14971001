"""Full text in both databases, over text that `kit.grams` has cut: the SQL of it.

SQLite keeps an FTS5 table beside the table, in step by triggers; PostgreSQL an index of the
table's own. Every word stands for itself in both: no stemming, no stop words, no ranking, the
newest rows first. A scope (a community, a group) is one more word, which nobody can type, so
that a small scope is quick among a million rows of others.

Table and column names are the caller's own constants, never input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qunluo.kit.grams import is_begun, wanted


@dataclass(frozen=True)
class Index:
    """A full-text index of the column `words` of a table with an integer key `id`."""

    table: str
    scope: str  # the column whose number narrows a search
    words: str = "search"

    @property
    def name(self) -> str:
        """Of SQLite's table and PostgreSQL's index."""
        return f"{self.table}_fts"


def build_sqlite(index: Index) -> list[str]:
    """Makes the FTS5 table (contentless: the words stay where they are) and fills it."""
    return [
        f"""CREATE VIRTUAL TABLE "{index.name}" USING fts5(words, content='', detail=none,
        columnsize=0, prefix='1 2', tokenize="ascii tokenchars '_'")""",
        f"""INSERT INTO "{index.name}"(rowid, words)
        SELECT id, {_sqlite_words(index, index.table)} FROM "{index.table}" """,
    ]


def build_triggers(index: Index) -> list[str]:
    """Keeps SQLite's table in step; harmless where they are there. Django drops them with the
    table whenever a migration of SQLite makes it anew."""
    add = f"""INSERT INTO "{index.name}"(rowid, words)
        VALUES (new.id, {_sqlite_words(index, "new")});"""
    drop = f"""INSERT INTO "{index.name}"("{index.name}", rowid, words)
        VALUES ('delete', old.id, {_sqlite_words(index, "old")});"""
    changed = f"""OF "{index.words}", "{index.scope}" ON "{index.table}"
        WHEN old."{index.words}" <> new."{index.words}"
        OR old."{index.scope}" <> new."{index.scope}" """
    when = {"ai": f'INSERT ON "{index.table}"', "ad": f'DELETE ON "{index.table}"',
            "au": f"UPDATE {changed}"}  # fmt: skip
    does = {"ai": add, "ad": drop, "au": f"{drop} {add}"}
    return [
        f'CREATE TRIGGER IF NOT EXISTS "{index.name}_{kind}" AFTER {when[kind]}'
        f" BEGIN {does[kind]} END"
        for kind in when
    ]


def drop_sqlite(index: Index) -> list[str]:
    triggers = [f'DROP TRIGGER IF EXISTS "{index.name}_{kind}"' for kind in ("ai", "ad", "au")]
    return [*triggers, f'DROP TABLE IF EXISTS "{index.name}"']


def build_postgres(index: Index) -> list[str]:
    return [f'CREATE INDEX "{index.name}" ON "{index.table}" USING gin ({_vector(index)})']


def drop_postgres(index: Index) -> list[str]:
    return [f'DROP INDEX IF EXISTS "{index.name}"']


def where_sqlite(index: Index) -> str:
    """A condition beside FROM table, index.name; its parameter is `query_sqlite`."""
    return (
        f'"{index.name}"."{index.name}" MATCH %s AND "{index.name}".rowid = "{index.table}".id'
    )


def where_postgres(index: Index) -> str:
    """A condition on the table; its parameter is `query_postgres`."""
    return f"{_vector(index)} @@ %s::tsquery"


def where_rows(index: Index, text: str) -> tuple[str, list[str]]:
    """The same answer without the index, and its parameters: quick for a few thousand rows.

    The words in a row stand between single blanks, and none holds a sign that LIKE reads.
    """
    words = wanted(text)
    begun = [f"% {word}%" if is_begun(word, words) else f"% {word} %" for word in words]
    one = f"""' ' || "{index.table}"."{index.words}" || ' ' LIKE %s"""
    return " AND ".join([one] * len(words)), begun


def query_sqlite(text: str, scopes: Sequence[int] = ()) -> str:
    """FTS5's query for all words, the last one as a beginning; "" where there is none."""
    within = " OR ".join(f'"_{scope}"' for scope in scopes)
    return " AND ".join(_with_scopes(text, '"', "*", within))


def query_postgres(text: str, scopes: Sequence[int] = ()) -> str:
    """PostgreSQL's tsquery for all words, the last one as a beginning; "" where there is none."""
    within = " | ".join(f"'_{scope}'" for scope in scopes)
    return " & ".join(_with_scopes(text, "'", ":*", within))


def _with_scopes(text: str, quote: str, begun: str, within: str) -> list[str]:
    words = wanted(text)
    asked = [f"{quote}{w}{quote}{begun if is_begun(w, words) else ''}" for w in words]
    return [f"({within})", *asked] if within and asked else asked


def _sqlite_words(index: Index, row: str) -> str:
    return f"""'_' || {row}."{index.scope}" || ' ' || "{row}"."{index.words}" """


def _vector(index: Index) -> str:
    words = f"""'_' || "{index.table}"."{index.scope}"::text || ' ' || "{index.table}"."{index.words}" """
    return f"array_to_tsvector(array_remove(string_to_array({words}, ' '), ''))"
