"""The database at a start: made, brought up to date, and emptied."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from qunluo.kit.settings import Settings
from qunluo.kit.text import Text

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PREPARING = Text("Preparing the database", "正在准备数据库")
PREPARED = Text("The database is ready.", "数据库已就绪。")
WAITING = Text("Waiting for the database to be prepared.", "正在等待数据库准备完成。")
LOCK = 8_460_001  # an advisory lock of PostgreSQL: one process prepares, the others wait
POLL_S = 0.5

Progress = Callable[[int, int], None]
"""Called with migrations done and migrations in all."""


def load_django() -> None:
    """Django with our settings; nothing happens the second time."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qunluo.server.conf")
    import django

    django.setup()


def prepare_database(settings: Settings, lang: str) -> None:
    """Makes the tables or brings them up to date, telling in a line how far it is."""
    load_django()
    from django.db import connection

    fresh = not settings.database and not is_made(settings)
    template = template_path()  # named first: migrations may be changed while they run
    if fresh and copy_template(settings, template):
        return
    if pending():
        line = Line(PREPARING(lang))
        with _alone(connection):
            migrate(line.step)
        line.end(PREPARED(lang))
    if fresh:
        keep_template(settings, template)


def wait_for_database(lang: str) -> None:
    """Returns once another process has prepared the database; says so if it must wait."""
    load_django()
    if pending():
        print(WAITING(lang), file=sys.stderr, flush=True)
    while pending():
        time.sleep(POLL_S)


def pending() -> int:
    """How many migrations the database lacks."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate(progress: Progress = lambda done, total: None) -> None:
    """Applies what is pending."""
    from django.core.management import call_command

    call_command("migrate", stdout=_Counting(pending(), progress), interactive=False)


class _Counting(io.StringIO):
    """Counts the migrations that the command says it applied."""

    def __init__(self, total: int, progress: Progress) -> None:
        super().__init__()
        self.done, self.total, self.progress = 0, total, progress

    def write(self, words: str) -> int:
        if words.strip() == "OK":
            self.done += 1
            self.progress(self.done, self.total)
        return len(words)


class Line:
    """One line that tells how far it is: rewritten on a terminal, else written once."""

    def __init__(self, words: str) -> None:
        self.words, self.live = words, sys.stderr.isatty()
        self._put(f"{words} …")

    def step(self, done: int, total: int) -> None:
        if self.live:
            self._put(f"{self.words} {done}/{total}")

    def end(self, words: str) -> None:
        self._put(words)
        if self.live:
            print(file=sys.stderr, flush=True)

    def _put(self, words: str) -> None:
        if self.live:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
        else:
            print(words, file=sys.stderr, flush=True)


def database_file(settings: Settings) -> Path:
    return settings.data / "qunluo.sqlite3"


def is_made(settings: Settings) -> bool:
    path = database_file(settings)
    return path.exists() and path.stat().st_size > 0


def template_path() -> Path:
    """An empty database with exactly these migrations, kept for the next start from nothing."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    known = MigrationLoader(None).disk_migrations
    words = "\n".join(f"{app}.{name}" for app, name in sorted(known)) + _content()
    mark = hashlib.sha256(f"{connection.vendor}\n{words}".encode()).hexdigest()[:16]
    return user_cache_path("qunluo") / f"empty-{mark}.sqlite3"


def _content() -> str:
    """Our own migrations as they are written: they change while they are developed."""
    rooms = Path(__file__).resolve().parent.parent.glob("**/migrations/0*.py")
    return "".join(path.read_text("utf-8") for path in sorted(rooms))


def copy_template(settings: Settings, template: Path) -> bool:
    """Whether there was one, and the database is now a copy of it."""
    if not template.exists():
        return False
    part = database_file(settings).with_suffix(".part")
    shutil.copyfile(template, part)
    part.chmod(0o600)
    part.replace(database_file(settings))
    return True


def keep_template(settings: Settings, template: Path) -> None:
    """Keeps the database, which is new and empty, for later; that it can't is no matter."""
    from django.db import connection

    with suppress(OSError):
        template.parent.mkdir(parents=True, exist_ok=True)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        part = template.with_suffix(f".{os.getpid()}")
        shutil.copyfile(database_file(settings), part)
        part.replace(template)


def empty_database(settings: Settings) -> None:
    """Removes every table of ours, whatever it holds; other tables of the database stay."""
    load_django()
    from django.db import connection

    connection.close()
    if not settings.database:
        for suffix in ("", "-wal", "-shm"):
            database_file(settings).with_name(f"qunluo.sqlite3{suffix}").unlink(missing_ok=True)
        return
    _drop_tables(connection)


def _drop_tables(connection: BaseDatabaseWrapper) -> None:
    ours = {*connection.introspection.django_table_names(), "django_migrations"}
    with connection.cursor() as cursor:
        for table in sorted(ours & set(connection.introspection.table_names(cursor))):
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)} CASCADE")


@contextmanager
def _alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Holds PostgreSQL's advisory lock; SQLite's data folder is locked already."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
