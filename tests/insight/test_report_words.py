"""Every word a reader sees exists in both languages; templates hold none of their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

import qunluo
from qunluo.insight.figures import Need
from qunluo.insight.report.words import NEED_NOUNS, WORDS
from qunluo.kit.text import Text

REPORT = files("qunluo.insight.report")
SOURCES = sorted((Path(qunluo.__file__).parent / "insight").rglob("*.py"))
HAN = re.compile(r"[\u3400-\u9fff]")
LETTER = re.compile(r"[A-Za-z\u3400-\u9fff]")
SPOKEN = ("title", "alt", "placeholder", "aria-label", "label", "content")


def template_texts(source: str) -> Iterator[str]:
    """What a template would show by itself: outside of tags, expressions and statements."""
    source = re.sub(r"\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}", "\0", source, flags=re.S)
    source = re.sub(r"<(style|script)\b.*?</\1>", "", source, flags=re.S)
    for tag in re.findall(r"<[^>]*>", source, flags=re.S):
        if not tag.startswith("<meta"):
            yield from re.findall(rf'\s(?:{"|".join(SPOKEN)})="([^"]*)"', tag)
    yield from re.sub(r"<[^>]*>", "\0", source, flags=re.S).split("\0")


def texts(path: Path) -> Iterator[tuple[int, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text":
            yield node.lineno, node


def literal(node: ast.expr) -> str | None:
    """The fixed words of a string or f-string; None for anything computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(p.value for p in node.values if isinstance(p, ast.Constant))
    return None


def is_proper(zh: str) -> bool:
    """Names that stay as they are: RFM, Spearman ρ."""
    return bool(zh.strip()) and all(w[0].isupper() or not w.isascii() for w in zh.split())


@pytest.mark.parametrize("name", ["report.html.j2", "pieces.html.j2"])
def test_a_template_holds_no_word_of_its_own(name: str) -> None:
    source = REPORT.joinpath("templates", name).read_text("utf-8")
    bare = [text.strip() for text in template_texts(source) if LETTER.search(text)]
    assert bare == []


def test_the_scan_finds_a_bare_word() -> None:
    assert any(LETTER.search(t) for t in template_texts("<p>{{ w.a }} of {{ b }}</p>"))
    assert any(LETTER.search(t) for t in template_texts('<p title="Hello">{{ b }}</p>'))


def test_templates_use_only_words_that_exist_and_every_word_is_used() -> None:
    used: set[str] = set()
    for name in ("report.html.j2", "pieces.html.j2"):
        used |= set(re.findall(r"\bw\.(\w+)", REPORT.joinpath("templates", name).read_text()))
    assert used <= set(WORDS)
    code = "".join(p.read_text("utf-8") for p in SOURCES if p.name != "words.py")
    used |= {w for w in WORDS if f'"{w.removesuffix("_1")}"' in code or f'"{w}"' in code}
    assert set(WORDS) - used == set()


def test_the_script_shows_only_words_it_was_given() -> None:
    script = REPORT.joinpath("templates", "report.js").read_text("utf-8")
    script = re.sub(r"/\*.*?\*/", "", script, flags=re.S)
    shown = re.findall(r"(?:textContent = |element\(\"\w+\", )([\"'`][^\"'`]*[\"'`])", script)
    assert [text for text in shown if LETTER.search(re.sub(r"\$\{.*?\}", "", text))] == []
    assert set(re.findall(r"filled\(\"(\w+)\"", script)) <= set(WORDS)


@pytest.mark.parametrize("words", [WORDS, NEED_NOUNS], ids=["words", "needs"])
def test_every_word_is_said_in_chinese(words: dict[str, Text]) -> None:
    plain = {"list_comma", "chart_one", "sample_size", "interval_of"}
    assert {k for k, t in words.items() if k not in plain and not HAN.search(t.zh)} == set()
    fields = re.compile(r"\{(\w+)\}")
    for text in words.values():
        assert sorted(fields.findall(text.en)) == sorted(fields.findall(text.zh))


def test_every_need_has_a_noun() -> None:
    assert set(NEED_NOUNS) == set(get_args(Need))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_sentence_of_insight_is_said_in_both_languages(path: Path) -> None:
    silent = []
    for line, call in texts(path):
        parts = [literal(arg) for arg in call.args]
        if len(parts) != 2 or None in parts:
            continue
        en, zh = (re.sub(r"\{\w+\}", "", part or "") for part in parts)
        if len(re.findall(r"[A-Za-z]", en)) >= 3 and not HAN.search(zh) and not is_proper(zh):
            silent.append((line, en, zh))
    assert silent == []
