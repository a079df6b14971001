"""A page served from a folder of its own for each test; the commands it runs are the real ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

_FIRST = Path(tempfile.mkdtemp(prefix="qunluo-"))  # Django reads its settings once
os.environ["QUNLUO_DATA"] = str(_FIRST)
os.environ["DJANGO_SETTINGS_MODULE"] = "qunluo.console.conf"

import django  # noqa: E402
from django.conf import settings as django_settings  # noqa: E402
from django.test import Client, override_settings  # noqa: E402

django.setup()

from qunluo.console.settings import Settings, prepare_folder  # noqa: E402
from qunluo.console.views import workshop  # noqa: E402
from qunluo.console.work import Workshop  # noqa: E402


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
def alice(shop: Workshop) -> Client:
    """Sits at this computer, reads English, and her browser behaves."""
    return Client(headers={"host": "localhost", "accept-language": "en"})
