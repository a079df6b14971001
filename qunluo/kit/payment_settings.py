"""Who takes money for this installation, read from `QUNLUO_*` variables and checked at the start.

Keys stand in files, and only the names of the files in variables, but for the API v3 key, which
is a word of 32 signs. None of them is ever shown.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from qunluo.kit import clock
from qunluo.kit.setting_errors import WrongSettingError
from qunluo.kit.text import Text

PROVIDERS = ("sandbox", "offline", "wechat")
GATEWAY = "https://api.mch.weixin.qq.com"
HIDDEN = "…"

_NOT_A_PROVIDER = Text(
    "name sandbox, or one or more of offline and wechat, separated by commas.",
    "请填 sandbox，或 offline、wechat 中的一个或多个，用逗号分隔。",
)
_MIXED = Text(
    "the sandbox takes no real money, so it can't stand beside what does; leave it out.",
    "沙盒不收取真钱，不能与真实收款方式并用，请去掉 sandbox。",
)
_NOT_AN_ADDRESS = Text(
    "it must be an address such as https://tea.example, without a path.",
    "它必须是 https://tea.example 这样的地址，不带路径。",
)
_MISSING = Text("WeChat Pay needs it.", "启用微信支付必须设置它。")
_NOT_DIGITS = Text("it must be 8 to 10 digits.", "它必须是 8 到 10 位数字。")
_NOT_AN_APPID = Text(
    "it must be “wx” and 16 letters or digits.", "它必须是 wx 开头加 16 位字母或数字。"
)
_NOT_A_SERIAL = Text("it must be a number in hexadecimal.", "它必须是十六进制序列号。")
_NOT_A_KEY = Text(
    "it must have exactly 32 letters or digits.", "它必须正好是 32 位字母或数字。"
)
_NOT_PRIVATE = Text(
    "it must name a readable PEM file with an RSA private key (apiclient_key.pem).",
    "它必须指向可读取的 RSA 私钥 PEM 文件（apiclient_key.pem）。",
)
_NOT_PUBLIC = Text(
    "it must name a readable PEM file with an RSA public key (pub_key.pem).",
    "它必须指向可读取的 RSA 公钥 PEM 文件（pub_key.pem）。",
)
_NOT_A_KEY_ID = Text(
    "it must begin with PUB_KEY_ID_, as the merchant platform shows it.",
    "它必须以 PUB_KEY_ID_ 开头，与商户平台显示一致。",
)
_NO_CERTIFICATE = Text(
    "it must name a folder with a valid certificate of the platform (*.pem).",
    "它必须指向存有有效微信支付平台证书（*.pem）的文件夹。",
)
_ONE_OF = Text(
    "WeChat Pay needs this and QUNLUO_WECHAT_PUBLIC_KEY_ID, or QUNLUO_WECHAT_CERTIFICATES.",
    "启用微信支付需设置它和 QUNLUO_WECHAT_PUBLIC_KEY_ID，或设置 QUNLUO_WECHAT_CERTIFICATES。",
)
_NOT_INSTALLED = Text(
    "wechat needs one more package: pip install 'qunluo[wechat]'.",
    "wechat 还需要安装一个软件包：pip install 'qunluo[wechat]'。",
)
_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?"
)


@dataclass(frozen=True)
class WechatSettings:
    """A merchant of WeChat Pay, API v3. The platform proves itself by a public key or by
    certificates; a merchant who is moving from one to the other has both."""

    mchid: str
    appid: str
    serial: str  # of the merchant's own certificate
    private_key: str = field(repr=False)  # PEM
    apiv3_key: str = field(repr=False)
    public_key: str = ""  # PEM
    public_key_id: str = ""
    certificates: Path | None = None
    gateway: str = GATEWAY


@dataclass(frozen=True)
class PaymentSettings:
    """Which providers take money here, and how they are reached."""

    providers: tuple[str, ...] = ("sandbox",)
    public_url: str = ""  # where the world reaches these pages
    wechat: WechatSettings | None = None


def read_payment_settings(given: Mapping[str, str]) -> PaymentSettings:
    """Settings from variables, blank ones left out; raises `WrongSettingError`."""
    providers = _providers(given.get("QUNLUO_PAYMENTS", "sandbox"))
    needed = "wechat" in providers
    url = _address("QUNLUO_PUBLIC_URL", given.get("QUNLUO_PUBLIC_URL", ""), needed=needed)
    return PaymentSettings(providers, url, read_wechat(given) if needed else None)


def _providers(value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if not names or set(names) - set(PROVIDERS):
        raise WrongSettingError(name="QUNLUO_PAYMENTS", value=value, reason=_NOT_A_PROVIDER)
    if "sandbox" in names and len(names) > 1:
        raise WrongSettingError(name="QUNLUO_PAYMENTS", value=value, reason=_MIXED)
    if "wechat" in names and importlib.util.find_spec("wechatpayv3") is None:
        raise WrongSettingError(name="QUNLUO_PAYMENTS", value=value, reason=_NOT_INSTALLED)
    return names


def _address(name: str, value: str, *, needed: bool) -> str:
    value = value.rstrip("/")
    if (value or needed) and not _ADDRESS.fullmatch(value):
        raise WrongSettingError(name=name, value=value, reason=_NOT_AN_ADDRESS)
    return value


def read_wechat(given: Mapping[str, str]) -> WechatSettings:
    """The merchant; raises `WrongSettingError` for the first thing that is missing or wrong."""
    public, key_id, folder = _platform(given)
    return WechatSettings(
        mchid=_like(given, "QUNLUO_WECHAT_MCHID", r"\d{8,10}", _NOT_DIGITS),
        appid=_like(given, "QUNLUO_WECHAT_APPID", r"wx[0-9A-Za-z]{16}", _NOT_AN_APPID),
        serial=_like(given, "QUNLUO_WECHAT_SERIAL", r"[0-9A-Fa-f]{8,64}", _NOT_A_SERIAL),
        private_key=_pem(given, "QUNLUO_WECHAT_PRIVATE_KEY", _NOT_PRIVATE, private=True),
        apiv3_key=_like(
            given, "QUNLUO_WECHAT_APIV3_KEY", r"[0-9A-Za-z]{32}", _NOT_A_KEY, hidden=True
        ),
        public_key=public,
        public_key_id=key_id,
        certificates=folder,
        gateway=_address(
            "QUNLUO_WECHAT_GATEWAY", given.get("QUNLUO_WECHAT_GATEWAY", GATEWAY), needed=True
        ),
    )


def _like(
    given: Mapping[str, str], name: str, pattern: str, reason: Text, *, hidden: bool = False
) -> str:
    value = given.get(name, "")
    if not re.fullmatch(pattern, value):
        shown = HIDDEN if hidden and value else value
        raise WrongSettingError(name=name, value=shown, reason=reason if value else _MISSING)
    return value


def _platform(given: Mapping[str, str]) -> tuple[str, str, Path | None]:
    """What the platform's signatures are checked with: public key and its name, certificates."""
    folder = given.get("QUNLUO_WECHAT_CERTIFICATES")
    kept = None if folder is None else _folder(Path(folder).expanduser().absolute())
    if kept is None and "QUNLUO_WECHAT_PUBLIC_KEY" not in given:
        raise WrongSettingError(name="QUNLUO_WECHAT_PUBLIC_KEY", value="", reason=_ONE_OF)
    if "QUNLUO_WECHAT_PUBLIC_KEY" not in given:
        return "", "", kept
    public = _pem(given, "QUNLUO_WECHAT_PUBLIC_KEY", _NOT_PUBLIC, private=False)
    key_id = _like(
        given, "QUNLUO_WECHAT_PUBLIC_KEY_ID", r"PUB_KEY_ID_[0-9A-Za-z]+", _NOT_A_KEY_ID
    )
    return public, key_id, kept


def _pem(given: Mapping[str, str], name: str, reason: Text, *, private: bool) -> str:
    """The words of a PEM file that holds such a key."""
    path = given.get(name, "")
    if not path:
        raise WrongSettingError(name=name, value="", reason=_MISSING)
    try:
        raw = Path(path).expanduser().read_bytes()
        read = load_pem_private_key(raw, None) if private else load_pem_public_key(raw)
        fits = isinstance(read, RSAPrivateKey if private else RSAPublicKey)
    except (OSError, ValueError, TypeError):
        fits = False
    if not fits:
        raise WrongSettingError(name=name, value=path, reason=reason)
    return raw.decode("ascii", "ignore")


def _folder(folder: Path) -> Path:
    if not list_certificates(folder):
        name = "QUNLUO_WECHAT_CERTIFICATES"
        raise WrongSettingError(name=name, value=folder, reason=_NO_CERTIFICATE)
    return folder


def list_certificates(folder: Path) -> list[x509.Certificate]:
    """The certificates in a folder that are in force; what is none is passed over."""
    found, now = [], clock.now()
    for path in sorted(folder.glob("*.pem")):
        try:
            read = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError):
            continue
        if read.not_valid_before_utc <= now <= read.not_valid_after_utc:
            found.append(read)
    return found
