"""Nickname templates such as `{city}-{nick}`: what a nickname says, and how to ask for one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from qunluo.groups.errors import WrongTemplateError
from qunluo.kit.text import Text

LONGEST = 80
MOST = 6  # placeholders
RESERVED = frozenset({"plan", "level"})  # gates judge by these; nobody names themselves in
SHOWN = frozenset({"nick", "name"})  # said by the nickname itself, no profile field
_SLOT = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
_ALIKE = ("-－—–‐_＿~～", "|｜丨·・•/／", ":：", ",，、", "(（[【", ")）]】", "+＋", "@＠")
"""Signs that people type for one another."""


@lru_cache(maxsize=500)
def _pattern(template: str) -> re.Pattern[str]:
    """Linear to match: no placeholder's text holds the sign that comes after it."""
    parts = _SLOT.split(_tidy(template))
    literals, names = parts[::2], parts[1::2]
    _check(template, literals, names)
    built = [_literal(literals[0])]
    for name, after in zip(names, literals[1:], strict=True):
        stop = _stop(after)
        built.append(f"(?P<s_{name.replace('-', '__')}>{stop}+){_literal(after)}")
    return re.compile(r"\s*".join(b for b in built if b), re.DOTALL | re.IGNORECASE)


def _stop(after: str) -> str:
    """What a placeholder's text is made of, given what comes after it."""
    if not after:
        return "."
    sign = after.strip()[:1]
    return f"[^{_class(sign)}]" if sign else r"\S"


def _check(template: str, literals: list[str], names: list[str]) -> None:
    reason = None
    if not names:
        reason = _NONE
    elif len(names) > MOST or len(template) > LONGEST:
        reason = _MANY
    elif len(set(names)) < len(names):
        reason = _TWICE
    elif any(not between for between in literals[1:-1]):
        reason = _ADJACENT
    elif RESERVED & set(names):
        reason = _RESERVED
    elif "{" in "".join(literals) or "}" in "".join(literals):
        reason = _BRACES
    if reason:
        raise WrongTemplateError(template=template, reason=reason)


_NONE = Text("it needs a placeholder such as {nick}.", "至少要有一个占位符，例如 {nick}。")
_MANY = Text(
    f"at most {MOST} placeholders and {LONGEST} characters.",
    f"最多 {MOST} 个占位符、{LONGEST} 个字符。",
)
_TWICE = Text("a placeholder occurs twice.", "同一个占位符出现了两次。")
_ADJACENT = Text(
    "two placeholders stand side by side; put a sign between them.",
    "两个占位符紧挨在一起，请在中间加分隔符。",
)
_RESERVED = Text(
    "plans and levels are given, not named.", "方案和等级由系统授予，不能写在昵称里。"
)
_BRACES = Text(
    "placeholders are small Latin letters in braces, such as {city}.",
    "占位符是花括号里的小写英文，例如 {city}。",
)


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _alike(sign: str) -> str:
    return next((signs for signs in _ALIKE if sign in signs), sign)


def _class(sign: str) -> str:
    return re.escape(_alike(sign))


def _literal(text: str) -> str:
    """A literal of the template: blanks are optional, signs that look alike are equal."""
    if text and not text.strip():
        return r"\s+"
    return r"\s*".join(f"[{_class(sign)}]" for sign in text if not sign.isspace())


def check_template(template: str) -> str:
    """The template; raises `WrongTemplateError` where a nickname could not be read back."""
    if template.strip():
        _pattern(template)
    return template.strip()


def parse_nickname(template: str, nickname: str) -> dict[str, str] | None:
    """What a nickname says, by placeholder; None where it does not follow the template."""
    if not template.strip():
        return {}
    found = _pattern(template).fullmatch(_tidy(nickname)[:LONGEST])
    if found is None:
        return None
    values = {
        name[2:].replace("__", "-"): value.strip() for name, value in found.groupdict().items()
    }
    return values if all(values.values()) else None


def render_nickname(template: str, values: Mapping[str, str]) -> str:
    """The nickname that says these values: an example to follow."""
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), template)


def ask_for_nickname(template: str, *, name: str) -> Text:
    """A friendly reminder, with an example made of their own name."""
    example = render_nickname(template, {"nick": name, "name": name, **_EXAMPLES})
    words = Text(
        "{name}, so that everybody knows whom they talk to: please set your nickname here like "
        "“{example}”. Thank you!",
        "{name}，为了方便大家认识你，请把群昵称改成“{example}”这样的格式，谢谢！",
    )
    return words.format(name=name, example=example)


_EXAMPLES = {"city": "上海", "region": "上海", "age": "30", "job": "设计师"}
