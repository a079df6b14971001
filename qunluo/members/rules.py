"""What a name, a number, a field may be, and what shows that two members are one. Pure."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from qunluo.kit.text import Text
from qunluo.members.errors import WrongEmailError, WrongPhoneError, WrongValueError

NAME_LENGTH = 80
ACCOUNT_LENGTH = 120
TEXT_LENGTH = 500
ERASED = "erased"
ALL = "all"  # the channel of a consent that holds everywhere
GRANTED_UNASKED = frozenset({"service"})
"""What a member may expect without having been asked; everything else needs a yes."""

_JOINERS = "\u200c\u200d"  # inside emoji and Indic words
_YES = frozenset({"yes", "y", "true", "1", "on", "是", "有", "对"})
_NO = frozenset({"no", "n", "false", "0", "off", "否", "无", "不"})
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_NOT_A_NUMBER = Text("it must be a number.", "必须是数字。")
_NOT_A_DATE = Text("it must be a date like 2026-03-01.", "必须是日期，例如 2026-03-01。")
_NOT_YES = Text("it must be yes or no.", "必须是“是”或“否”。")
_NOT_A_CHOICE = Text("it must be one of {choices}.", "必须是以下之一：{choices}。")
_TOO_LONG = Text(
    f"it must have at most {TEXT_LENGTH} characters.", f"最多 {TEXT_LENGTH} 个字符。"
)


def clean_name(name: str) -> str:
    """A name fit to be shown: one line, without signs that turn or hide the text around it."""
    shown = "".join(c if _is_shown(c) else " " for c in unicodedata.normalize("NFC", name))
    return " ".join(shown.split())[:NAME_LENGTH].strip()


def _is_shown(sign: str) -> bool:
    return sign in _JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def plain(text: str, most: int = 200) -> str:
    """A text that every database keeps: without NUL and halves of signs, cut to a length."""
    return "".join(c for c in text if c != "\0" and not "\ud800" <= c <= "\udfff")[:most]


def clean_account(external_id: str) -> str:
    """A platform's name for an account; a longer one than fits is told by its hash."""
    account = plain(external_id, 10_000).strip()
    if len(account) <= ACCOUNT_LENGTH:
        return account
    return account[:80] + hashlib.blake2b(account.encode(), digest_size=20).hexdigest()


def clean_utm(utm: Mapping[str, Any]) -> dict[str, str]:
    """What an address says of its campaign, as much as is worth keeping."""
    return {plain(str(k), 40): plain(str(v)) for k, v in list(utm.items())[:10]}


def read_phone(text: str) -> str:
    """A number as +country and digits; eleven digits that begin with 1 are Chinese mobiles.
    Raises `WrongPhoneError`."""
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"[\s().\-‐-―]", "", plain)
    if re.fullmatch(r"(00|\+)?(86)?1[3-9]\d{9}", digits):
        return "+86" + digits[-11:]
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not re.fullmatch(r"\+?[0-9]{7,15}", digits):
        raise WrongPhoneError
    return digits


def read_email(text: str) -> str:
    """An address in small letters; raises `WrongEmailError`."""
    address = unicodedata.normalize("NFKC", text).strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise WrongEmailError from None
    return address


def mask_phone(phone: str) -> str:
    """138****8000: enough to recognise, too little to call."""
    local = phone.removeprefix("+86")
    return f"{local[:3]}****{local[-4:]}" if len(local) >= 10 else f"****{local[-2:]}"


def mask_email(email: str) -> str:
    name, _, host = email.partition("@")
    return f"{name[:1]}***@{host}"


def read_value(kind: str, choices: Sequence[str], value: Any, *, label: str = "") -> Any:
    """A profile field's value as it is stored (JSON); None for nothing.
    Raises `WrongValueError` with the reason."""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    said = plain(str(value if value is not None else ""), 10_000)
    text = unicodedata.normalize("NFC", said).strip()
    if not text:
        return None
    found, reason = _READERS[kind](text, choices)
    if reason is not None:
        raise WrongValueError(label=label, reason=reason)
    return found


def _read_text(text: str, choices: Sequence[str]) -> tuple[Any, Text | None]:
    return text, _TOO_LONG if len(text) > TEXT_LENGTH else None


def _read_number(text: str, choices: Sequence[str]) -> tuple[Any, Text | None]:
    try:
        number = float(text.replace(",", "").replace("，", ""))
    except ValueError:
        return None, _NOT_A_NUMBER
    if not math.isfinite(number):
        return None, _NOT_A_NUMBER
    whole = number.is_integer() and abs(number) < 2**53
    return int(number) if whole else number, None


def _read_date(text: str, choices: Sequence[str]) -> tuple[Any, Text | None]:
    found = read_date(text)
    return (found.isoformat(), None) if found else (None, _NOT_A_DATE)


def _read_yes(text: str, choices: Sequence[str]) -> tuple[Any, Text | None]:
    said = text.casefold()
    return said in _YES, None if said in _YES | _NO else _NOT_YES


def _read_choice(text: str, choices: Sequence[str]) -> tuple[Any, Text | None]:
    found = next((c for c in choices if c.casefold() == text.casefold()), None)
    return found, _NOT_A_CHOICE.format(choices=", ".join(choices)) if found is None else None


_READERS = {
    "text": _read_text, "number": _read_number, "date": _read_date, "yes_no": _read_yes,
    "choice": _read_choice,
}  # fmt: skip


def read_date(text: str) -> date | None:
    """2026-03-01, 2026/3/1 or 2026年3月1日."""
    match = _DATE.fullmatch(text.strip())
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Person:
    """What is compared of a member: proven contact hashes and union ids."""

    phone: str = ""  # blind hash, only where proven
    email: str = ""
    unions: frozenset[str] = frozenset()


def list_evidence(one: Person, other: Person) -> list[dict[str, str]]:
    """What shows that both are one person, the strongest first; unproven contact is nothing."""
    found: list[dict[str, str]] = []
    if one.unions & other.unions:
        found.append({"kind": "union_id"})
    if one.phone and one.phone == other.phone:
        found.append({"kind": "phone"})
    if one.email and one.email == other.email:
        found.append({"kind": "email"})
    return found


def judge_consent(purpose: str, said: bool | None) -> bool:
    """Whether something may be sent, by the last word of the member (None: never asked)."""
    return purpose in GRANTED_UNASKED if said is None else said


def fill(kept: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    """What the kept one takes over: only what it has not."""
    return {key: value for key, value in gone.items() if _is_empty(kept.get(key)) and value}


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def words_to_search(parts: Iterable[Any]) -> str:
    """The words of a member, each once: names, region, field values that are words."""
    words = (str(part) for part in parts if part and not isinstance(part, bool))
    return " ".join(dict.fromkeys(words))
