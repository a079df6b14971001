"""What a Zulip message says, without its HTML."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"<br ?/?>\n?")
_TAG = re.compile(r"<[^>]*>")
_EMOJI = re.compile(
    r'<span[^>]*class="emoji emoji-([0-9a-f]+(?:-[0-9a-f]+)*)"[^>]*>[^<]*</span>'
)
_TEX = re.compile(r'<annotation encoding="application/x-tex">(.*?)</annotation>', re.S)
_SPAN = re.compile(r"<(/?)span\b[^>]*>")
_QUOTE = re.compile(r"(</?blockquote>)")
_EMPTY_LINES = re.compile(r"\n{3,}")
_OTHER = re.compile(r"&(?!amp;)[#A-Za-z]")
COMMON = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"))
_KATEX = '<span class="katex">'
_QUOTED_HTML = re.compile(r'<a href="[^"]*/near/(\d+)/?">[^<]*</a>:</p>\s*<blockquote>')
_QUOTED_MARKDOWN = re.compile(r"\]\(\S*/near/(\d+)/?\):?\s*\n\s*(?:`{3,}|~{3,})quote")


def plain(rendered: str) -> str:
    """HTML as Zulip renders it, as text: quotes as `> ` lines, formulas as TeX, emoji as such."""
    if "<" not in rendered:
        return _unescaped(rendered).strip()
    if _KATEX in rendered:
        rendered = _formulas(rendered)
    if 'class="emoji' in rendered:
        rendered = _EMOJI.sub(_emoji, rendered)
    rendered = _BREAK.sub("\n", rendered).replace("<li>", "- ")
    said = _quotes(rendered) if "<blockquote>" in rendered else _stripped(rendered)
    return _EMPTY_LINES.sub("\n\n", said).strip()


def quoted_in_html(rendered: str) -> str | None:
    """The id of the message that the first linked quote answers."""
    found = _QUOTED_HTML.search(rendered) if "/near/" in rendered else None
    return found[1] if found else None


def quoted_in_markdown(said: str) -> str | None:
    """The same before rendering: `[said](…/near/12):` and a quote block."""
    found = _QUOTED_MARKDOWN.search(said) if "/near/" in said else None
    return found[1] if found else None


def _stripped(rendered: str) -> str:
    return _unescaped(_TAG.sub("", rendered))


def _unescaped(said: str) -> str:
    """`html.unescape`, without its cost where only the five common ones occur."""
    if "&" not in said:
        return said
    for escape, character in COMMON:
        said = said.replace(escape, character)
    return html.unescape(said) if _OTHER.search(said) else said.replace("&amp;", "&")


def _quotes(rendered: str) -> str:
    parts, depth = [], 0
    for part in _QUOTE.split(rendered):
        if part == "<blockquote>":
            depth += 1
        elif part == "</blockquote>":
            depth = max(0, depth - 1)
        else:
            parts.append(_indented(_stripped(part), depth))
    return "\n".join(part for part in parts if part)


def _indented(said: str, depth: int) -> str:
    if not said.strip():
        return ""
    lines = said.strip("\n").split("\n") if depth else [said]
    return "\n".join("> " * depth + line for line in lines)


def _emoji(found: re.Match[str]) -> str:
    try:
        return "".join(chr(int(code, 16)) for code in found[1].split("-"))
    except (ValueError, OverflowError):
        return ""


def _formulas(rendered: str) -> str:
    """A formula stands there twice, for readers and for eyes: its TeX source replaces both."""
    done = []
    while (start := rendered.find(_KATEX)) >= 0:
        end = _end_of_span(rendered, start)
        tex = _TEX.search(rendered, start, end)
        done.append(rendered[:start] + (f"${tex[1]}$" if tex else ""))
        rendered = rendered[end:]
    return "".join(done) + rendered


def _end_of_span(rendered: str, start: int) -> int:
    depth = 0
    for tag in _SPAN.finditer(rendered, start):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    return len(rendered)
