"""A page served from a folder of its own for each test; the commands it runs are the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client, override_settings

from qunluo.community.models import Community, User
from qunluo.console.views import workshop
from qunluo.console.work import Workshop
from qunluo.kit.settings import Settings, prepare_folder
from tests.cast import client_of


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """The settings of a page whose data folder is this test's."""
    mine: Settings = replace(django_settings.QUNLUO, data=tmp_path / "data", max_upload_mb=1)
    prepare_folder(mine)
    with override_settings(QUNLUO=mine):
        yield mine


@pytest.fixture
def shop(settings: Settings) -> Iterator[Workshop]:
    made = workshop()
    yield made
    made.close()
    for hand in made.hands:
        hand.join()


@pytest.fixture
def desk(shop: Workshop, tea: Community, alice: User) -> Client:
    """Alice's browser: at this computer, signed in, reading English; it behaves."""
    return client_of(alice)
