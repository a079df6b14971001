"""The page: one file, no network, no name that breaks it, nobody in a masked copy."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.insight.figures import Missing, Person, Quote, Series, Table
from qunluo.insight.report import Report, SourceCount, palette, render_html
from qunluo.insight.report.page import MAX_BYTES, safe_json
from qunluo.kit.text import LANGS, Text
from tests.insight import builders as b

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Reader(HTMLParser):
    """Reads a page as a browser would: tags with attributes, text, and whether all is closed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append((self.tags[-1][1], data))
        elif not self.open or self.open[-1] != "style":
            self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    @property
    def data(self) -> Any:
        return next(json.loads(text) for attrs, text in self.scripts if "id" in attrs)


def read(report: Report, lang: str = "en", anonymous: bool = False) -> Reader:
    reader = Reader(render_html(report, lang, anonymous))
    assert reader.open == []
    return reader


@pytest.mark.parametrize("lang", LANGS)
def test_it_is_one_file_under_three_megabytes_that_asks_no_network(lang: str) -> None:
    page = render_html(b.report(), lang)
    assert len(page.encode()) < 3_000_000
    reader = Reader(page)
    addresses = [attrs.get(k) or "" for _, attrs in reader.tags for k in ("src", "href")]
    assert all(a.startswith(("#", "data:")) for a in addresses if a)
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style is not None
    assert not re.search(r"url\(|@import", style[1])


def test_its_policy_allows_only_its_own_two_scripts() -> None:
    reader = read(b.report())
    policy = next(m["content"] or "" for m in reader.named("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    run = [text for attrs, text in reader.scripts if not attrs]
    assert len(run) == 2
    for script in run:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_equal_reports_are_equal_bytes() -> None:
    assert render_html(b.report(), "zh") == render_html(b.report(), "zh")
    turned = b.report(sources=tuple(reversed(b.report().sources)))
    assert render_html(turned, "zh") == render_html(b.report(), "zh")


@pytest.mark.parametrize("lang", LANGS)
def test_hostile_names_stay_words(lang: str) -> None:
    reader = read(b.report(), lang)
    assert "img" not in dict(reader.tags)
    assert not any(key.startswith("on") for _, attrs in reader.tags for key in attrs)
    assert b.HOSTILE in reader.words
    assert any(b.GROUP_NAMES[0] in chart["x"] for chart in reader.data["charts"])


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
@settings(max_examples=25)
def test_any_name_is_shown_as_it_is(name: str) -> None:
    table = Table(Text("People", "成员"), (Text("who", "谁"),), ((Person(1, name),),))
    chart = b.chart("bar", (Person(1, name), "other"))
    found = b.finding(tables=(table,), charts=(chart,))
    reader = read(b.report_of(b.figure("f", found)))
    assert reader.data["charts"][0]["x"][0] == name
    assert " ".join(name.replace("\x00", "\ufffd").split()) in reader.words


def test_embedded_json_cannot_leave_its_script() -> None:
    text = safe_json(["</script>", "<!--", "&", "\u2028"])
    assert not re.search("[<>&\u2028]", text)
    assert json.loads(text) == ["</script>", "<!--", "&", "\u2028"]


@pytest.mark.parametrize("lang", LANGS)
def test_a_masked_copy_holds_nobodys_name_and_nobodys_words(lang: str) -> None:
    page = html.unescape(render_html(b.report(), lang, anonymous=True))
    data = json.dumps(Reader(render_html(b.report(), lang, True)).data, ensure_ascii=False)
    for secret in [*b.NAMES, *b.GROUP_NAMES, *b.SECRETS]:
        assert secret[:60] not in page
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in data
    assert "Chat with" not in page
    assert ("Member 1", "成员 1")[lang == "zh"] in page


def test_a_name_that_a_figure_left_as_a_plain_label_is_masked_too() -> None:
    table = Table(Text("People", "成员"), (Text("who", "谁"),), (("Alice Chen",), ("others",)))
    found = b.finding(tables=(table,), charts=(b.chart("bar", ("王小明", "rest")),))
    reader = read(b.report_of(b.figure("f", found)), anonymous=True)
    assert "Alice Chen" not in reader.words
    assert "others" in reader.words
    assert reader.data["charts"][0]["x"] == ["Member 6", "rest"]


def test_a_masked_quote_keeps_only_its_day() -> None:
    rows = ((Quote("secret", "2022-01-03T09:15:27"),),)
    table = Table(Text("Said", "原话"), (Text("what", "内容"),), rows)
    report = b.report_of(b.figure("f", b.finding(tables=(table,))))
    masked, full = read(report, anonymous=True).words, read(report).words
    assert "3 Jan 2022 09:15" in full
    assert "secret" in full
    assert "3 Jan 2022" in masked
    assert "09:15" not in masked


@pytest.mark.parametrize("lang", LANGS)
def test_every_figure_says_how_it_is_counted(lang: str) -> None:
    report = b.report()
    reader = read(report, lang)
    for figure in report.figures():
        for text in (figure.metric.name, figure.metric.definition, figure.metric.window):
            assert " ".join(text(lang).split()) in reader.words
    assert reader.words.count(("How is this counted?", "这是怎么算的？")[lang == "zh"]) == len(
        list(report.figures())
    )


def test_a_missing_figure_says_which_file_would_enable_it() -> None:
    words = read(b.report_of(b.figure("repeat", b.missing("orders")))).words
    assert "Repeat purchases need the orders." in words
    assert "--orders" in words


def test_it_does_not_repeat_a_sentence_that_already_says_what_to_add() -> None:
    found = Missing(("orders",), Text("Add --orders with one row an order (customer_id, "
                    "member_id, paid_at, amount).", "请提供订单表。"))  # fmt: skip
    assert read(b.report_of(b.figure("repeat", found))).words.count("Add --orders") == 1


def test_an_empty_chart_and_an_empty_table_explain_themselves() -> None:
    words = read(b.report()).words
    assert "Nothing to draw: no data for this in the period." in words
    assert "No rows: nothing of this kind was found." in words


def test_a_chart_of_nothing_but_gaps_is_empty() -> None:
    gaps = b.chart("line", ("a", "b"), Series(Text("s", "列"), (None, float("nan"))))
    assert read(b.report_of(b.figure("f", b.finding(charts=(gaps,))))).data["charts"] == []


def test_few_observations_are_called_few() -> None:
    small = read(b.report_of(b.figure("f", b.finding(n=3, charts=(b.chart(),)))))
    assert "few data, read with care" in small.words
    assert small.data["charts"][0]["few"] is True
    assert "few data" not in read(b.report_of(b.figure("f", b.finding(n=300)))).words


def test_an_empty_archive_is_a_page_too() -> None:
    nothing = b.totals(messages=0, speakers=0, groups=0, rejects=0, joins=0, leaves=0,
                       first_at=None, last_at=None, lines=())  # fmt: skip
    for lang in LANGS:
        assert read(b.report_of(totals=nothing, sources=()), lang).words


def test_every_chart_has_words_for_those_who_cannot_see_it() -> None:
    reader = read(b.report())
    images = [attrs for _, attrs in reader.tags if attrs.get("role") == "img"]
    assert len(images) > 10
    assert all(len(attrs["aria-label"] or "") > 20 for attrs in images)
    plots = [attrs for _, attrs in reader.tags if attrs.get("class") == "plot"]
    assert len(plots) == len(reader.data["charts"])


def test_headings_landmarks_and_links_hold_together() -> None:
    reader = read(b.report())
    tags = [name for name, _ in reader.tags]
    assert [tags.count(tag) for tag in ("h1", "main", "nav", "header", "footer")] == [1] * 5
    ids = [attrs["id"] for _, attrs in reader.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    links = [a["href"] or "" for a in reader.named("a")]
    assert {link[1:] for link in links} <= set(ids)
    labelled = {attrs.get("aria-labelledby") for _, attrs in reader.tags} - {None}
    assert labelled <= set(ids)


def test_it_stays_small_by_showing_fewer_rows_and_says_so() -> None:
    long = tuple((Quote("词" * 240, "2022-01-03T09:15:27"),) for _ in range(200))
    table = Table(Text("Said", "原话"), (Text("what", "内容"),), long)
    figures = [b.figure(f"f{i}", b.finding(tables=(table,))) for i in range(30)]
    page = render_html(b.report_of(*figures), "en")
    assert len(page.encode()) <= MAX_BYTES
    assert "140 more rows are not in this page" in page


def test_a_cloud_of_points_is_thinned_and_says_so() -> None:
    cloud = b.chart("scatter", range(9_000), b.series("s", "列", *range(9_000)))
    reader = read(b.report_of(b.figure("f", b.finding(charts=(cloud,)))))
    drawn = reader.data["charts"][0]
    assert len(drawn["x"]) == len(drawn["series"][0]["y"]) == 1_500
    assert (drawn["x"][0], drawn["x"][-1]) == (0, 8_999)
    assert "1,500 of 9,000 points are drawn." in reader.words


def test_files_are_named_without_their_folder_order() -> None:
    files = [SourceCount(n, Text("IRC", "IRC"), 1, 0, 0) for n in ("b.log", "a.log")]
    words = read(b.report_of(sources=tuple(files))).words
    assert words.index("a.log") < words.index("b.log")


@pytest.mark.parametrize("side", ["light", "dark"])
def test_words_stand_out_from_every_ground(side: str) -> None:
    def colour(name: str) -> palette.Oklch:
        pair = palette.COLOURS[name]
        return pair.dark if side == "dark" else pair.light

    pairs = [(ink, ground) for ink in ("ink", "muted", "accent")
             for ground in ("page", "surface", "sunken", "wash")]  # fmt: skip
    pairs += [("on-accent", "accent"), ("warn", "sunken")]
    pairs += [(f"on-{n}", n) for n in (*palette.SERIES, *palette.HEAT, "few")]
    low = {p: palette.contrast(colour(p[0]), colour(p[1])) for p in pairs}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("side", ["light", "dark"])
def test_neighbouring_series_differ_in_lightness_alone(side: str) -> None:
    colours = [palette.COLOURS[n] for n in palette.SERIES]
    light = [(c.dark if side == "dark" else c.light).lightness for c in colours]
    gaps = [abs(x - y) for x, y in pairwise(light)]
    assert min(gaps) >= 0.08


def test_oklch_is_translated_as_browsers_do() -> None:
    # https://www.w3.org/TR/css-color-4/#ok-lab: sRGB red, and white
    assert palette.Oklch(0.627955, 0.257683, 29.2339).hex() == "#ff0000"
    assert palette.Oklch(1, 0, 0).hex() == "#ffffff"
    assert palette.contrast(palette.Oklch(0, 0, 0), palette.Oklch(1, 0, 0)) == pytest.approx(21)
