"""Who takes money here: a wrong setting stops the start with a sentence, and shows no key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from qunluo.kit.settings import WrongSettingError, read_settings
from tests.payments.wechat_house import (
    APIV3_KEY,
    APPID,
    KEY_ID,
    MCHID,
    SERIAL,
    certificate,
    private_pem,
    public_pem,
)

DOCUMENTED = Path(__file__).parents[2] / "docs/reference/settings.md"
NAMES = (
    "QUNLUO_PAYMENTS", "QUNLUO_PUBLIC_URL", "QUNLUO_WECHAT_MCHID", "QUNLUO_WECHAT_APPID",
    "QUNLUO_WECHAT_SERIAL", "QUNLUO_WECHAT_PRIVATE_KEY", "QUNLUO_WECHAT_APIV3_KEY",
    "QUNLUO_WECHAT_PUBLIC_KEY", "QUNLUO_WECHAT_PUBLIC_KEY_ID", "QUNLUO_WECHAT_CERTIFICATES",
    "QUNLUO_WECHAT_GATEWAY",
)  # fmt: skip


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "apiclient_key.pem").write_bytes(private_pem("merchant"))
    (tmp_path / "pub_key.pem").write_bytes(public_pem("platform"))
    return {
        "QUNLUO_PAYMENTS": "wechat, offline", "QUNLUO_PUBLIC_URL": "https://tea.example/",
        "QUNLUO_WECHAT_MCHID": MCHID, "QUNLUO_WECHAT_APPID": APPID,
        "QUNLUO_WECHAT_SERIAL": SERIAL, "QUNLUO_WECHAT_APIV3_KEY": APIV3_KEY,
        "QUNLUO_WECHAT_PRIVATE_KEY": str(tmp_path / "apiclient_key.pem"),
        "QUNLUO_WECHAT_PUBLIC_KEY": str(tmp_path / "pub_key.pem"),
        "QUNLUO_WECHAT_PUBLIC_KEY_ID": KEY_ID,
    }  # fmt: skip


def test_nothing_set_means_play_money() -> None:
    assert read_settings({}).payments.providers == ("sandbox",)
    assert read_settings({}).payments.wechat is None


def test_a_merchant_is_read(env: dict[str, str]) -> None:
    found = read_settings(env).payments
    assert found.providers == ("wechat", "offline")
    assert found.public_url == "https://tea.example"
    assert found.wechat is not None
    assert found.wechat.mchid == MCHID
    assert "PRIVATE KEY" in found.wechat.private_key
    assert "PRIVATE KEY" not in repr(read_settings(env))
    assert APIV3_KEY not in repr(read_settings(env))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUNLUO_PAYMENTS", "paypal"),
        ("QUNLUO_PAYMENTS", "sandbox,wechat"),
        ("QUNLUO_PAYMENTS", ","),
        ("QUNLUO_PUBLIC_URL", ""),
        ("QUNLUO_PUBLIC_URL", "tea.example"),
        ("QUNLUO_PUBLIC_URL", "https://tea.example/pay"),
        ("QUNLUO_WECHAT_MCHID", "mch"),
        ("QUNLUO_WECHAT_MCHID", ""),
        ("QUNLUO_WECHAT_APPID", "gh_123"),
        ("QUNLUO_WECHAT_SERIAL", "no serial"),
        ("QUNLUO_WECHAT_PRIVATE_KEY", ""),
        ("QUNLUO_WECHAT_PRIVATE_KEY", "{folder}/nothing.pem"),
        ("QUNLUO_WECHAT_PRIVATE_KEY", "{folder}/pub_key.pem"),
        ("QUNLUO_WECHAT_APIV3_KEY", "short-secret"),
        ("QUNLUO_WECHAT_PUBLIC_KEY", ""),
        ("QUNLUO_WECHAT_PUBLIC_KEY", "{folder}/apiclient_key.pem"),
        ("QUNLUO_WECHAT_PUBLIC_KEY_ID", "PUB"),
        ("QUNLUO_WECHAT_CERTIFICATES", "{folder}"),
        ("QUNLUO_WECHAT_GATEWAY", "api.mch.weixin.qq.com"),
    ],
)
def test_a_wrong_one_is_named_in_both_languages(
    env: dict[str, str], tmp_path: Path, name: str, value: str
) -> None:
    env[name] = value.format(folder=tmp_path)
    with pytest.raises(WrongSettingError) as caught:
        read_settings(env)
    for lang in ("en", "zh"):
        assert name in caught.value.message(lang)
        assert "short-secret" not in caught.value.message(lang)
    assert "无法使用" in caught.value.message("zh")


def test_a_certificate_that_is_over_is_none(env: dict[str, str], tmp_path: Path) -> None:
    del env["QUNLUO_WECHAT_PUBLIC_KEY"]
    env["QUNLUO_WECHAT_CERTIFICATES"] = str(tmp_path)
    now = datetime.now(UTC)
    over = certificate("platform", now - timedelta(days=9), timedelta(days=2))
    (tmp_path / "over.pem").write_bytes(over.public_bytes(Encoding.PEM))
    with pytest.raises(WrongSettingError):
        read_settings(env)
    young = certificate("platform", now - timedelta(days=1), timedelta(days=2))
    (tmp_path / "young.pem").write_bytes(young.public_bytes(Encoding.PEM))
    assert read_settings(env).payments.wechat is not None


@pytest.mark.parametrize("name", NAMES)
def test_each_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENTED.read_text("utf-8")
