"""The page in a real browser: phone and desk, Chinese and English, day and night, paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from qunluo.insight.report import render_html
from qunluo.insight.report.words import WORDS
from tests.browser import ALL_DRAWN, SCROLL_THROUGH, assert_fits, browser
from tests.insight import builders as b

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}

INK = """() => [...document.querySelectorAll('.plot')].map(plot =>
  [...plot.querySelectorAll('path')].filter(p => p.getBBox().width + p.getBBox().height > 0).length
    + plot.querySelectorAll('canvas').length)"""
WIDER_THAN_THE_PAGE = """() => {
  const out = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('.scroll, svg, .unseen, .skip, .plot')) continue;
    const box = e.getBoundingClientRect();
    if (box.width && (box.right > innerWidth + 1 || box.left < -1)) out.push(e.className || e.tagName);
  }
  return out;
}"""
MISSING_GLYPHS = """(ignored) => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 40;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  pen.font = '28px ' + getComputedStyle(document.body).fontFamily;
  pen.textBaseline = 'top';
  const picture = char => {
    pen.clearRect(0, 0, 40, 40);
    pen.fillText(char, 4, 4);
    return pen.getImageData(0, 0, 40, 40).data.join();
  };
  const boxes = new Set(['\\u{10fffd}', '\\ue83a'].map(picture));
  const shown = new Set([...document.body.innerText].filter(c =>
    !/[\\s\\p{C}\\p{M}\\u{200d}]/u.test(c) && !ignored.includes(c)));
  return [...shown].filter(c => boxes.has(picture(c)));
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


class Visit:
    """One page opened as a reader would, with everything it complained about."""

    def __init__(self, chromium: Browser, path: Path, **how: Any) -> None:
        self.context = chromium.new_context(**how)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", lambda m: self.trouble.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.trouble.append(str(e)))
        self.page.on("requestfailed", lambda r: self.trouble.append(f"failed {r.url}"))
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.requests: list[str] = []
        self.page.goto(path.as_uri())

    def read_all(self) -> Page:
        self.page.evaluate(SCROLL_THROUGH)
        self.page.wait_for_function(ALL_DRAWN)
        return self.page


@pytest.fixture
def visit(chromium: Browser, tmp_path: Path) -> Iterator[Any]:
    made: list[Visit] = []

    def opened(lang: str = "en", **how: Any) -> Visit:
        path = tmp_path / f"report-{lang}.html"
        path.write_text(render_html(b.report(), lang), "utf-8")
        made.append(Visit(chromium, path, **({"viewport": PHONE} | how)))
        return made[-1]

    yield opened
    for one in made:
        one.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_it_is_whole_on_every_screen(visit: Any, size: Any, lang: str, scheme: str) -> None:
    reader = visit(lang, viewport=size, color_scheme=scheme)
    page = reader.read_all()
    assert_fits(page)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert min(page.evaluate(INK)) >= 3
    assert page.evaluate(MISSING_GLYPHS, b.RTL) == []
    assert reader.trouble == []
    assert [url for url in reader.requests if not url.startswith(("file:", "data:"))] == []


def test_everything_unfolded_still_fits_a_phone(visit: Any) -> None:
    reader = visit("zh")
    page = reader.read_all()
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.evaluate("document.querySelectorAll('[data-more]').forEach(b => b.click())")
    page.wait_for_function("() => document.querySelectorAll('[data-numbers] table').length > 5")
    assert_fits(page)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert reader.trouble == []


def test_charts_wait_until_they_are_near(visit: Any) -> None:
    page = visit().page
    page.wait_for_timeout(200)
    drawn = page.evaluate("document.querySelectorAll('.plot[data-drawn]').length")
    assert drawn < page.evaluate("document.querySelectorAll('.plot').length") / 2


def test_a_chinese_page_says_nothing_in_english(visit: Any) -> None:
    text = visit("zh").read_all().inner_text("body")
    english = {word.en for word in WORDS.values() if "{" not in word.en and len(word.en) > 6}
    assert {word for word in english if word in text} == set()


def test_a_hostile_name_runs_nothing_even_in_a_tooltip(visit: Any) -> None:
    reader = visit("en", viewport=DESK)
    page = reader.page
    page.on("dialog", lambda dialog: reader.trouble.append("dialog"))
    plot = page.locator("#f-I7 .plot").first
    plot.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('#f-I7 .plot').dataset.drawn")
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    tip = page.locator("#f-I7 .tip")
    tip.first.wait_for()
    assert "<b>读书会</b> 一群" in tip.first.inner_text()
    assert "n = 90" in tip.first.inner_text()
    assert page.locator("img").count() == 0
    assert reader.trouble == []


def test_charts_follow_the_readers_colours_and_the_window(visit: Any) -> None:
    page = visit("en", viewport=DESK, color_scheme="light").read_all()
    fills = """() => document.querySelector('#f-replies .plot svg').outerHTML
        .match(/#[0-9a-f]{6}|rgb\\([^)]*\\)/g).join()"""
    wide = "document.querySelector('#f-replies .plot svg').getBoundingClientRect().width"
    light, before = page.evaluate(fills), page.evaluate(wide)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => ({fills})() !== light", arg=light)
    page.set_viewport_size(PHONE)
    page.wait_for_function(f"before => {wide} < before", arg=before)
    assert_fits(page)


def test_tables_sort_filter_and_unfold_by_keyboard(visit: Any) -> None:
    page = visit("en", viewport=DESK).page
    block = page.locator("#f-I3 details.rows")
    block.locator("summary").focus()
    page.keyboard.press("Enter")
    rows = block.locator("tbody tr:visible")
    assert rows.count() == 8
    heading = block.locator("th button").nth(2)
    heading.focus()
    page.keyboard.press("Enter")
    assert rows.first.locator("td").nth(2).inner_text() == "216k"
    page.keyboard.press("Enter")
    assert rows.first.locator("td").nth(2).inner_text() == "1"
    block.locator("[data-more]").press("Enter")
    assert rows.count() == 60
    block.locator("[data-filter]").fill("alice")
    assert 0 < rows.count() < 60
    block.locator("[data-filter]").fill("nobody at all")
    assert block.locator("output").inner_text() == WORDS["no_match"].en


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_moves_as_charts_draw(visit: Any, size: Any) -> None:
    """Or a finger that aims at what is below a chart taps something else."""
    page = visit("en", viewport=size).page
    tops = "() => [...document.querySelectorAll('.figure summary')].map(s => s.offsetTop)"
    before = page.evaluate(tops)
    page.evaluate(SCROLL_THROUGH)
    page.wait_for_function(ALL_DRAWN)
    assert page.evaluate(tops) == before


def test_the_numbers_behind_a_chart_are_one_tap_away(visit: Any) -> None:
    page = visit("en").page
    details = page.locator("#f-I7 [data-numbers]").first
    details.locator("summary").click()
    table = details.locator("table")
    table.wait_for()
    assert "<b>读书会</b> 一群" in table.inner_text()
    assert "45% (40% – 50%)" in table.inner_text()


def test_the_contents_stand_open_where_there_is_room(visit: Any) -> None:
    assert visit("en", viewport=DESK).page.locator(".contents li").first.is_visible()
    phone = visit("en").page
    assert not phone.locator(".contents li").first.is_visible()
    phone.locator(".contents summary").click()
    phone.locator(".contents a[href='#f-survival']").click()
    phone.wait_for_function(
        "() => Math.abs(document.querySelector('#f-survival').getBoundingClientRect().top) < innerHeight"
    )


def test_the_first_key_leads_past_the_contents(visit: Any) -> None:
    page = visit("en").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#findings"


def test_paper_shows_every_chart_and_every_explanation(visit: Any) -> None:
    reader = visit("zh", color_scheme="dark")
    page = reader.page
    page.evaluate("""() => { window.seen = null; addEventListener('beforeprint', () => {
      window.seen = [document.querySelectorAll('.plot:not([data-drawn])').length,
        document.querySelectorAll('details.how:not([open])').length]; }); }""")
    assert len(page.pdf(format="A4", print_background=True)) > 50_000
    assert page.evaluate("window.seen") == [0, 0]
    assert page.locator("details.how[open]").count() == 0
    assert reader.trouble == []


def test_it_stands_still_for_those_who_ask(visit: Any) -> None:
    page = visit("en", reduced_motion="reduce").read_all()
    moving = """() => [...document.querySelectorAll('summary')].filter(e =>
        parseFloat(getComputedStyle(e, '::before').transitionDuration) > 0).length"""
    assert page.evaluate(moving) == 0


def test_it_can_be_read_without_scripts(visit: Any) -> None:
    page = visit("en", java_script_enabled=False).page
    text = page.inner_text("body")
    assert "The brand wrote 70 % of all messages" in text
    assert page.locator("#f-lines tbody tr").count() == 12
    page.locator(".contents summary").click()
    assert page.locator(".contents li").first.is_visible()
