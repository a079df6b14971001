"""Every database test runs on SQLite and on PostgreSQL, both real.

`pytest` runs everything, on SQLite; `pytest --on postgres` runs what stands on a database, on
PostgreSQL (`make test` runs both). Django and Wagtail choose much by their database when they
are loaded, so one process has one. `tests.cast` has the people who act in the tests.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests.postgres import postgres

_ON = "QUNLUO_TEST_ON"  # tells the processes that share the tests, too
if "--on postgres" in " ".join(sys.argv):  # before pytest has read its options
    os.environ[_ON] = "postgres"
ON_POSTGRES = os.environ.get(_ON) == "postgres"
_DATA = Path(tempfile.mkdtemp(prefix="qunluo-"))  # Django reads its settings once
_HELD = ExitStack()

os.environ["QUNLUO_DATA"] = str(_DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "qunluo.server.conf"
os.environ.pop("QUNLUO_DATABASE", None)
if ON_POSTGRES:  # one server each: what is settled depends on all that runs in a server
    os.environ["QUNLUO_DATABASE"] = _HELD.enter_context(postgres())

# from here on what needs to know where the database is
import django  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from pytest_django.plugin import DjangoDbBlocker  # noqa: E402

from qunluo.server import conf  # noqa: E402
from tests.emptying import empty_database  # noqa: E402

_DEFAULT = conf.DATABASES["default"]
if ON_POSTGRES:
    del _DEFAULT["OPTIONS"]["pool"]  # its connections would outlive a test's database
else:
    _DEFAULT["TEST"] = {"NAME": str(_DATA / "test.sqlite3")}  # a file, for other processes too
_THEIRS = (  # tables made in one go, not by their long history
    "wagtailusers wagtaildocs wagtailimages wagtailsearch wagtailadmin wagtailcore taggit "
    "otp_totp otp_static sessions"
)
conf.MIGRATION_MODULES = dict.fromkeys(_THEIRS.split())
conf.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick
django.setup()
TransactionTestCase._fixture_teardown = lambda self: empty_database()  # 20 times as quick
hypothesis.settings.register_profile("patient", deadline=None)  # machines may be busy
hypothesis.settings.load_profile("patient")

pytest_plugins = ["tests.cast"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on", choices=["sqlite", "postgres"], default="sqlite")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Generator[None, None, None]:
    """PostgreSQL wants tables in the order of their references: those of people, to whom all
    others refer, are there before those that are made in one go."""
    if not ON_POSTGRES:
        yield
        return
    name = f"people_{os.getpid()}"
    connection.settings_dict["TEST"]["TEMPLATE"] = name
    with django_db_blocker.unblock():
        _make_people(name)
    yield
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
        connection.close()


def _make_people(name: str) -> None:
    own = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    try:
        connection.settings_dict["NAME"] = name
        call_command("migrate", "community", verbosity=0)
    finally:
        connection.close()  # a template may have no visitors
        connection.settings_dict["NAME"] = own


@pytest.hookimpl(wrapper=True)
def pytest_sessionstart() -> Generator[None, None, None]:
    """Processes that share the tests begin here: they must come by this file before Django is
    loaded, and would load it at once where the variable is set."""
    chosen = os.environ.pop("DJANGO_SETTINGS_MODULE")
    try:
        yield
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = chosen


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what stands on a database: the rest has run. A page in a browser is
    the same on both; what it stands on is tested on both below it."""
    if config.getoption("--on") == "postgres":
        kept = [i for i in items if _is_on_database(i) and not i.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=[i for i in items if i not in kept])
        items[:] = kept


def _is_on_database(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("django_db")) or not {
        "db",
        "transactional_db",
    }.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_unconfigure() -> None:
    _HELD.close()
    shutil.rmtree(_DATA, ignore_errors=True)
