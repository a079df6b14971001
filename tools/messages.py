"""Collects the words of the interface and compiles their translations, with Babel alone.

    python tools/messages.py

Writes `qunluo/locale/<language>/LC_MESSAGES/django.po` and `.mo`; new words stand empty in the
.po until somebody translates them, and a test says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
WHERE = ROOT / "qunluo"
LOCALES = ROOT / "qunluo" / "locale"
LANGUAGES = ("zh_Hans",)
KEYWORDS = {**DEFAULT_KEYWORDS, "gettext_lazy": None, "ngettext_lazy": (1, 2)}
FACTS = {
    "project": "Qunluo",
    "version": "0",
    "msgid_bugs_address": "",
    "last_translator": "Qunluo",
    "language_team": "Qunluo",
}
HEADER = "# Words of Qunluo's interface. Written by tools/messages.py; translate here."


def main() -> None:
    for language in LANGUAGES:
        catalog = renew(language)
        missing = sum(not is_translated(m) for m in catalog if m.id)
        print(f"{language}: {len(catalog)} messages, {missing} to translate")


def renew(language: str) -> Catalog:
    folder = LOCALES / language / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    catalog = merge(language, folder / "django.po")
    with (folder / "django.po").open("wb") as file:
        write_po(file, catalog, sort_output=True, omit_header=False, width=96)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalog)
    return catalog


def merge(language: str, path: Path) -> Catalog:
    """The words found now with the translations there are; words no longer used go."""
    old = read_catalog(language, path)
    fresh = Catalog(locale=language, header_comment=HEADER, fuzzy=False, **FACTS)
    fresh.creation_date = fresh.revision_date = old.creation_date
    for text in find_words():
        known = old.get(text[0] if isinstance(text, tuple) else text)
        fresh.add(text, known.string if known else None)
    return fresh


def read_catalog(language: str, path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def find_words() -> Iterator[str | tuple[str, str]]:
    """All words marked for translation: in templates, and in Python as `_("…")` or by gettext's own names."""
    for page in sorted(WHERE.rglob("templates/**/*.html")):
        yield from words_of(flat_template(page))
    for module in sorted(WHERE.rglob("*.py")):
        yield from words_of(module.read_bytes())


def flat_template(page: Path) -> bytes:
    """A template as Python calls of gettext on one line, its HTML blanked out by Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django.conf.global_settings")
    from django.utils.translation.template import templatize  # noqa: PLC0415 - needs settings

    return " ".join(templatize(page.read_text("utf-8"), origin=page.name).split()).encode()


def words_of(python: bytes) -> Iterator[str | tuple[str, str]]:
    for _, _, found, _ in extract_python(BytesIO(python), KEYWORDS, (), {}):
        words: object = found
        texts = [w for w in words if isinstance(w, str)] if isinstance(words, tuple) else []
        yield (texts[0], texts[1]) if texts else str(words)


def is_translated(message: object) -> bool:
    string = getattr(message, "string", "")
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    main()
