"""The interface speaks Chinese to the last word."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo, write_mo

from tools.messages import LANGUAGES, LOCALES, find_words, read_catalog

FOLDER = LOCALES / LANGUAGES[0] / "LC_MESSAGES"


def messages() -> list[Message]:
    catalog = read_catalog(LANGUAGES[0], FOLDER / "django.po")
    return [message for message in catalog if message.id]


def test_every_word_of_the_pages_is_translated() -> None:
    known = {m.id if isinstance(m.id, str) else tuple(m.id) for m in messages()}
    assert known == set(find_words())


NAMES = {"API", "Webhook", "Qunluo"}  # the same in every language


def translated(text: str) -> bool:
    """Whether it has Chinese in it, or is a name."""
    return bool(re.search("[一-鿿]", text)) or text in NAMES


def test_no_translation_is_empty_doubtful_or_english() -> None:
    for message in messages():
        strings = [message.string] if isinstance(message.string, str) else message.string
        ids = [message.id] if isinstance(message.id, str) else message.id
        speaks = bool(re.search("[A-Za-z]", re.sub(r"%\(\w+\)s|\{\w+\}", "", "".join(ids))))
        assert all(strings), message.id
        assert not speaks or all(map(translated, strings)), message.id
        assert not message.fuzzy, message.id


def test_translations_fill_in_the_same_values() -> None:
    for message in messages():
        ids = [message.id] if isinstance(message.id, str) else message.id
        strings = [message.string] if isinstance(message.string, str) else message.string
        for text in strings:
            named = set(re.findall(r"%\(\w+\)s", text))  # each language in its own order
            assert named <= set(re.findall(r"%\(\w+\)s", "".join(ids))), message.id


def test_what_runs_is_what_was_translated() -> None:
    catalog = read_catalog(LANGUAGES[0], FOLDER / "django.po")
    fresh = BytesIO()
    write_mo(fresh, catalog)
    with (FOLDER / "django.mo").open("rb") as kept:
        assert _pairs(fresh.getvalue()) == _pairs(kept.read())


def _pairs(compiled: bytes) -> dict[object, object]:
    catalog = read_mo(BytesIO(compiled))
    return {str(m.id): m.string for m in catalog if m.id}


@pytest.mark.parametrize("page", sorted(Path(LOCALES.parent / "console").rglob("*.html")))
def test_no_page_has_words_outside_translation(page: Path) -> None:
    """Text between tags is marked for translation, or a name that every language shares."""
    marked = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}", re.S)
    text = marked.sub("", page.read_text("utf-8"))
    plain = unescape(re.sub(r"<[^>]*>", " ", text))
    words = {word for word in plain.split() if any(sign.isalpha() for sign in word)}
    assert words <= {"English", "中文", "HTML", "JSON", "km", "km:", "n", "K"}
