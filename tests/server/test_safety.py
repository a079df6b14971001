"""Django's own deployment check, and what the settings promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]


def test_djangos_deployment_check_finds_nothing(tmp_path: Path) -> None:
    places = {"QUNLUO_DATA": str(tmp_path), "QUNLUO_SECURE": "yes"}
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **places, "DJANGO_SETTINGS_MODULE": "qunluo.server.conf"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_models_and_migrations_agree(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "QUNLUO_DATA": str(tmp_path),
             "DJANGO_SETTINGS_MODULE": "qunluo.server.conf"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name", ["SESSION_COOKIE_HTTPONLY", "USE_TZ", "SECURE_CONTENT_TYPE_NOSNIFF"]
)
def test_what_protects_is_on(name: str) -> None:
    assert getattr(settings, name) is True


def test_nothing_is_shown_that_only_builders_may_see() -> None:
    assert settings.DEBUG is False
    assert settings.X_FRAME_OPTIONS == "DENY"
    assert settings.CSRF_COOKIE_SAMESITE == "Strict"
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
