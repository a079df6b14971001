"""Empties the database after a test that committed. Django would empty all of its two hundred
tables and write what it knows of their models anew, which takes longer than most tests; here what
a test has written goes, and no more."""

from __future__ import annotations

from functools import cache

from django.db import connection, transaction

KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
}  # of models, not of tests

UNCHECKED = """SELECT set_config('session_replication_role', 'replica', true)
    WHERE current_setting('is_superuser') = 'on'"""
"""PostgreSQL looks at no reference until the transaction ends; it would at the end, at each."""


@cache
def _question() -> str:
    """Which tables have rows: one query for all."""
    quoted = connection.ops.quote_name
    names = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
    each = (f"SELECT '{n}' WHERE EXISTS (SELECT 1 FROM {quoted(n)})" for n in names)
    return " UNION ALL ".join(each)


def empty_database() -> None:
    """All rows of all tables that have some; constraints are asked nothing on the way."""
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute(_question())
        found = [name for (name,) in cursor.fetchall()]
        with transaction.atomic():
            if connection.vendor == "postgresql":
                cursor.execute(UNCHECKED)
            for name in found:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")
