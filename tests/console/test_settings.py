"""Settings: what is read, and the sentence for what is wrong."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from qunluo.kit.settings import (
    FolderRefusedError,
    WrongSettingError,
    find_secret,
    prepare_folder,
    read_settings,
)

DOCUMENTED = Path(__file__).parents[2] / "docs/reference/settings.md"


def test_nothing_set_means_this_computer_only() -> None:
    settings = read_settings({})
    assert settings.is_local
    assert settings.port is None


def test_a_page_behind_a_proxy_is_not_local() -> None:
    assert not read_settings({"QUNLUO_ALLOWED_HOSTS": "qunluo.example"}).is_local
    assert not read_settings({"QUNLUO_HOST": "0.0.0.0"}).is_local


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUNLUO_PORT", "eighty"),
        ("QUNLUO_PORT", "0"),
        ("QUNLUO_PORT", "65536"),
        ("QUNLUO_HOST", "http://localhost/"),
        ("QUNLUO_HOST", "localhost:80"),
        ("QUNLUO_ALLOWED_HOSTS", "good.example, bad one"),
        ("QUNLUO_MAX_UPLOAD_MB", "lots"),
        ("QUNLUO_MAX_UPLOAD_MB", "0"),
        ("QUNLUO_SECRET_KEY", "short"),
    ],
)
def test_a_wrong_setting_is_named_in_both_languages(name: str, value: str) -> None:
    with pytest.raises(WrongSettingError) as caught:
        read_settings({name: value})
    assert name in caught.value.message("en")
    assert "无法使用" in caught.value.message("zh")
    assert "docs/reference/settings.md" in caught.value.message("zh")


def test_a_secret_is_not_repeated_in_its_error() -> None:
    with pytest.raises(WrongSettingError) as caught:
        read_settings({"QUNLUO_SECRET_KEY": "hunter2"})
    assert "hunter2" not in caught.value.message("en")


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = read_settings({"QUNLUO_DATA": str(tmp_path / "data")})
    prepare_folder(settings)
    first = find_secret(settings)
    assert len(first) > 50
    assert find_secret(settings) == first
    assert stat.S_IMODE((settings.data / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.data.stat().st_mode) == 0o700


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(FolderRefusedError) as caught:
        prepare_folder(read_settings({"QUNLUO_DATA": str(tmp_path / "data")}))
    assert "QUNLUO_DATA" in caught.value.message("en")


@pytest.mark.parametrize(
    "name",
    [
        "QUNLUO_DATA",
        "QUNLUO_HOST",
        "QUNLUO_PORT",
        "QUNLUO_ALLOWED_HOSTS",
        "QUNLUO_MAX_UPLOAD_MB",
        "QUNLUO_SECRET_KEY",
        "QUNLUO_DATABASE",
        "QUNLUO_LIVE_PORT",
        "QUNLUO_LIVE_URL",
        "QUNLUO_SECURE",
        "QUNLUO_CLOCK",
    ],
)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENTED.read_text("utf-8")
