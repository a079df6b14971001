"""The sample community, founded once for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from qunluo.community.models import Community
from qunluo.kit import clock
from qunluo.living.founding import find_sample, found_sample
from tests.cast import NOON


@pytest.fixture(scope="module")
def founded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Founding takes longer than most of what is asked of it. Each test begins a transaction
    within this one, and what it did is taken back."""
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        clock.use(clock.faster(0, NOON)),
    ):
        found_sample("en")
        yield
        transaction.set_rollback(True)


@pytest.fixture
def sample(founded: None, db: None, noon: datetime) -> Community:
    found = find_sample()
    assert found is not None
    return found
