"""The settings of an installation, read from `QUNLUO_*` variables and checked at the start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

from qunluo.kit.errors import QunluoError
from qunluo.kit.payment_settings import PaymentSettings, read_payment_settings
from qunluo.kit.setting_errors import WrongSettingError
from qunluo.kit.system import system_words
from qunluo.kit.text import Text

__all__ = [
    "FolderRefusedError", "Settings", "WrongSettingError", "find_secret", "prepare_folder",
    "read_settings",
]  # fmt: skip

LOOPBACK = ("localhost", "127.0.0.1", "::1")
FIRST_PORT = 8460
MEGABYTE = 1_000_000
SECRET_LENGTH = 32

_NOT_A_NUMBER = Text("it must be a whole number.", "它必须是整数。")
_NOT_A_PORT = Text(
    "it must be a whole number from 1 to 65535.", "它必须是 1 到 65535 之间的整数。"
)
_NOT_A_DATABASE = Text(
    "it must be the address of a PostgreSQL database, postgresql://user:password@host/name.",
    "它必须是 PostgreSQL 数据库地址：postgresql://用户:密码@主机/库名。",
)
_NOT_YES = Text("it must be yes or no.", "它必须是 yes 或 no。")
_TOO_SMALL = Text("it must be 1 or more.", "它必须不小于 1。")
_SHORT_SECRET = Text(
    f"it must have {SECRET_LENGTH} characters or more.", f"它至少要有 {SECRET_LENGTH} 个字符。"
)
_NOT_A_HOST = Text(
    "it must be a name or an address without port, path or spaces.",
    "它必须是主机名或地址，不带端口、路径和空格。",
)


class FolderRefusedError(QunluoError):
    code = "folder_refused"
    sentence = Text(
        "The data folder {folder} can't be written ({reason}). "
        "Make it writable, or name another one with QUNLUO_DATA.",
        "数据文件夹 {folder} 无法写入（{reason}）。"
        "请修改权限，或用 QUNLUO_DATA 指定另一个文件夹。",
    )


@dataclass(frozen=True)
class Settings:
    """What an operator may decide; `docs/reference/settings.md` tells each."""

    data: Path
    host: str = "127.0.0.1"
    port: int | None = None  # None: the first free one from 8460 on
    allowed_hosts: tuple[str, ...] = ()  # names this page is reached by, besides its host
    max_upload_mb: int = 4_096
    secret_key: str | None = None  # None: one is made and kept in the data folder
    database: str | None = None  # a postgres:// address; None: SQLite in the data folder
    live_port: int | None = None  # None: the one after `port`
    live_url: str = ""  # where browsers find the live stream behind a proxy
    secure: bool = False  # reached by https only: cookies and headers say so
    webhooks_local: bool = False  # events may be sent into private networks
    payments: PaymentSettings = field(default_factory=PaymentSettings)

    @property
    def is_local(self) -> bool:
        """Whether only this computer reaches the page, directly and not through a proxy."""
        return self.host in LOOPBACK and not self.allowed_hosts

    @property
    def max_upload(self) -> int:
        return self.max_upload_mb * MEGABYTE


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from variables; raises `WrongSettingError` for the first wrong one."""
    all_set = os.environ if env is None else env
    given = {name: value.strip() for name, value in all_set.items() if value.strip()}
    return Settings(
        data=Path(given.get("QUNLUO_DATA") or user_data_path("qunluo")).expanduser().absolute(),
        host=_host("QUNLUO_HOST", given.get("QUNLUO_HOST", "127.0.0.1")),
        port=_port(given.get("QUNLUO_PORT")),
        allowed_hosts=_hosts(given.get("QUNLUO_ALLOWED_HOSTS", "")),
        max_upload_mb=_megabytes(given.get("QUNLUO_MAX_UPLOAD_MB", "4096")),
        secret_key=_secret(given.get("QUNLUO_SECRET_KEY")),
        database=_database(given.get("QUNLUO_DATABASE")),
        live_port=_port(given.get("QUNLUO_LIVE_PORT"), "QUNLUO_LIVE_PORT"),
        live_url=given.get("QUNLUO_LIVE_URL", "").rstrip("/"),
        secure=_yes("QUNLUO_SECURE", given.get("QUNLUO_SECURE", "no")),
        webhooks_local=_yes("QUNLUO_WEBHOOKS_LOCAL", given.get("QUNLUO_WEBHOOKS_LOCAL", "no")),
        payments=read_payment_settings(given),
    )


def prepare_folder(settings: Settings) -> None:
    """Makes the data folder, readable by its owner only; raises `FolderRefusedError`."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("jobs", "incoming", "trash", "media", "archive"):
            (settings.data / name).mkdir(exist_ok=True, mode=0o700)
        (settings.data / "incoming" / ".writable").touch()
    except OSError as error:
        reason = system_words(error)
        raise FolderRefusedError(folder=settings.data, reason=reason) from error


def find_secret(settings: Settings) -> str:
    """The key that signs cookies: the one set, or one kept in the data folder (mode 600)."""
    if settings.secret_key:
        return settings.secret_key
    kept = settings.data / "secret"
    if not kept.exists():
        fresh = kept.with_name(".secret")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        fresh.replace(kept)
    return kept.read_text().strip()


def _host(name: str, value: str) -> str:
    if not value or any(c in value for c in "/ @?#") or (":" in value and "::" not in value):
        raise WrongSettingError(name=name, value=value, reason=_NOT_A_HOST)
    return value


def _hosts(value: str) -> tuple[str, ...]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    return tuple(_host("QUNLUO_ALLOWED_HOSTS", name) for name in names)


def _database(value: str | None) -> str | None:
    if value is not None and not value.startswith(("postgres://", "postgresql://")):
        raise WrongSettingError(name="QUNLUO_DATABASE", value="…", reason=_NOT_A_DATABASE)
    return value


def _yes(name: str, value: str) -> bool:
    if value.lower() not in ("yes", "no", "1", "0"):
        raise WrongSettingError(name=name, value=value, reason=_NOT_YES)
    return value.lower() in ("yes", "1")


def _port(value: str | None, name: str = "QUNLUO_PORT") -> int | None:
    if value is None:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 65_535:
        raise WrongSettingError(name=name, value=value, reason=_NOT_A_PORT)
    return int(value)


def _megabytes(value: str) -> int:
    if not value.isdecimal():
        raise WrongSettingError(name="QUNLUO_MAX_UPLOAD_MB", value=value, reason=_NOT_A_NUMBER)
    if int(value) < 1:
        raise WrongSettingError(name="QUNLUO_MAX_UPLOAD_MB", value=value, reason=_TOO_SMALL)
    return int(value)


def _secret(value: str | None) -> str | None:
    if value is not None and len(value) < SECRET_LENGTH:
        raise WrongSettingError(name="QUNLUO_SECRET_KEY", value="…", reason=_SHORT_SECRET)
    return value
