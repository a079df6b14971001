"""Nickname templates such as `{city}-{nick}`: what a nickname says, and how to ask for one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from qunluo.groups.errors import WrongTemplateError
from qunluo.kit.text import LANGS, Lang, Text

LONGEST = 80
MOST = 6  # placeholders
RESERVED = frozenset({"plan", "level"})  # gates judge by these; nobody names themselves in
SHOWN = frozenset({"nick", "name"})  # said by the nickname itself, no profile field
_ALIASES = {"昵称": "nick", "名字": "name", "姓名": "name", "城市": "city", "地区": "region",
            "年龄": "age", "职业": "job", "公司": "company"}  # fmt: skip
_CHINESE = re.compile("|".join(f"{{{word}}}" for word in _ALIASES))
_SLOT = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
_ALIKE = ("-－—–‐_＿~～", "|｜丨·・•/／", ":：", ",，、", "(（[【", ")）]】", "+＋", "@＠")
"""Signs that people type for one another."""


@lru_cache(maxsize=500)
def _pattern(template: str) -> re.Pattern[str]:
    """Linear to match: no placeholder's text holds the sign that comes after it."""
    parts = _SLOT.split(_latin(_tidy(template)))
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


_NONE = Text("it needs a placeholder such as {nick}.", "至少要有一个占位符，例如 {昵称}。")
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
    "占位符写在花括号里：{昵称}、{城市}、{职业} 等，或字段的英文标识，例如 {city}。",
)


def _latin(template: str) -> str:
    """The template with placeholders that are written in Chinese under their keys."""
    return _CHINESE.sub(lambda slot: f"{{{_ALIASES[slot[0][1:-1]]}}}", template)


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
    """The nickname that says these values."""
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), _latin(template))


def make_example(template: str, *, name: str, known: Mapping[str, str | Text]) -> Text:
    """A nickname to follow, of their own name; `known` says what stands for the community's own
    placeholders. Never the template: who reads it knows of no braces."""
    slots = _SLOT.findall(_latin(template))
    words: dict[str, str | Text] = {slot: slot for slot in slots}
    words.update(EXAMPLES | dict(known) | dict.fromkeys(SHOWN, name))
    return Text(*(render_nickname(template, _said(words, lang)) for lang in LANGS))


def _said(words: Mapping[str, str | Text], lang: Lang) -> dict[str, str]:
    return {key: w if isinstance(w, str) else w(lang) for key, w in words.items()}


def ask_for_nickname(example: Text, *, name: str) -> Text:
    """A friendly reminder, with an example to follow."""
    words = Text(
        "{name}, so that everybody knows whom they talk to: please set your nickname here like "
        "“{example}”. Thank you!",
        "{name}，为了方便大家认识你，请把群昵称改成“{example}”这样的格式，谢谢！",
    )
    return words.format(name=name, example=example)


BETWEEN = timedelta(days=1)


def wants_reminder(
    *, reminders: int, cap: int, here: timedelta, settle: timedelta, ago: timedelta | None
) -> bool:
    """Whether to remind somebody of the template now: `cap` times at most, a day apart, not
    before they were `here` as long as it takes to `settle`; the last one was `ago`."""
    if reminders >= cap or here < settle:
        return False
    return ago is None or ago >= BETWEEN


EXAMPLES: dict[str, str | Text] = {
    "city": Text("Shanghai", "上海"), "region": Text("East", "华东"), "age": "30",
    "job": Text("Designer", "设计师"), "company": Text("Blue Hill", "青山公司"),
}  # fmt: skip
