"""Contact data at rest: encrypted to be read again, hashed to be found again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text


class WrongKeyError(QunluoError):
    """What was sealed can't be opened with this key."""

    code = "wrong_key"
    sentence = Text(
        "Stored contact data can't be opened: QUNLUO_SECRET_KEY is not the one it was stored "
        "with. Start with the earlier key.",
        "无法解开已保存的联系方式：QUNLUO_SECRET_KEY 与保存时不同，请改回原来的密钥。",
    )


@lru_cache(maxsize=8)
def _key(secret: str, purpose: str) -> bytes:
    return hashlib.blake2b(
        secret.encode(), digest_size=32, person=purpose.encode()[:16]
    ).digest()


@lru_cache(maxsize=8)
def _box(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_key(secret, "seal")))


def seal(text: str, secret: str) -> str:
    """The text, encrypted (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _box(secret).encrypt(text.encode()).decode()


def unseal(sealed: str, secret: str) -> str:
    """What was sealed; raises `WrongKeyError`."""
    try:
        return _box(secret).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise WrongKeyError from None


def blind(text: str, secret: str) -> str:
    """The same for the same text and secret, and nothing without the secret: to look it up."""
    return hmac.new(_key(secret, "blind"), text.encode(), hashlib.sha256).hexdigest()
