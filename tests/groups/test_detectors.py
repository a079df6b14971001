"""Each detector names its evidence and lets ordinary talk pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.groups.detectors import (
    DETECTORS,
    Around,
    Finding,
    digest,
    find_ads,
    find_banned,
    find_cards,
    find_floods,
    find_impersonation,
    find_links,
    hosts,
)
from qunluo.groups.ladder import LADDER, combine, plan_act
from qunluo.kit.text import Text

OWN = Around(own_hosts=("tea.example.com",))
ORDINARY = ("早上好", "明天几点开始？", "这个奶茶多少钱", "I had tea today. It was good",
            "3.5折好划算", "e.g. like this",
            "版本 1.2.3", "see you at 5.30", "微信支付失败了", "我的QQ糖好吃", "兼顾工作和孩子")  # fmt: skip


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_is_judged_and_scores_are_likelihoods(text: str, name: str) -> None:
    around = Around(name=name, staff=(name, "Alice"), options={"words": [name, text[:5]]})
    for detector in DETECTORS.values():
        found = detector(text, around)
        assert found is None or (0 < found.score <= 1 and found.why.zh)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_talk_is_no_evidence(text: str) -> None:
    assert [d(text, OWN) for d in DETECTORS.values()] == [None] * len(DETECTORS)


@pytest.mark.parametrize(("text", "host"), [
    ("看 https://a.b.top/x?y", "a.b.top"),
    ("www.shop.xyz 快来", "shop.xyz"),
    ("买表找shop点com", "shop.com"),
    ("HTTP://Evil.COM/a", "evil.com"),
    ("ＷＷＷ．ｅｖｉｌ．ｃｏｍ", "evil.com"),
    ("http://user@evil.com:80/", "evil.com"),
    ("e\u200bvil.com", "evil.com"),
])  # fmt: skip
def test_links_are_found_dressed_or_not(text: str, host: str) -> None:
    assert hosts(text) == [host]


def test_our_own_links_are_welcome_but_not_what_looks_like_them() -> None:
    assert find_links("https://tea.example.com/join/abc", OWN) is None
    assert find_links("https://m.tea.example.com/", OWN) is None
    assert find_links("https://tea.example.com.evil.top/", OWN) is not None


def test_a_newcomers_link_is_held() -> None:
    found = find_links("https://a.top", Around(minutes_here=5))
    assert found is not None
    assert found.hold


@pytest.mark.parametrize("text", ["加我微信聊", "vx：abc12345", "扫一下二维码进群", "scan my QR code",
                                  "add me on WeChat", "[名片]", "QQ 123456789"])  # fmt: skip
def test_contact_cards_are_found(text: str) -> None:
    assert find_cards(text, Around()) is not None


def test_more_words_of_advertising_are_surer() -> None:
    one, three = find_ads("兼职", Around()), find_ads("兼职刷单，日结，日赚300", Around())
    assert one is not None
    assert three is not None
    assert one.score < 0.5 < three.score


def test_banned_words_are_whole_in_latin_and_found_with_blanks_in_chinese() -> None:
    rule = Around(options={"words": ["spam", "坏人"]})
    assert find_banned("no SPAM here", rule) is not None
    assert find_banned("坏 。人", rule) is not None
    assert find_banned("spamming", rule) is None
    assert find_banned("anything", Around()) is None


@pytest.mark.parametrize(("around", "flood"), [
    (Around(said_in_minute=9), False),
    (Around(said_in_minute=10), True),
    (Around(same_in_ten_minutes=2), False),
    (Around(same_in_ten_minutes=3), True),
    (Around(groups_with_same=1), False),
    (Around(groups_with_same=2), True),
])  # fmt: skip
def test_floods_begin_at_their_number(around: Around, flood: bool) -> None:
    assert (find_floods("a text of some length", around) is not None) == flood


@given(st.text(max_size=50))
def test_blanks_and_case_make_no_other_text(text: str) -> None:
    assert digest(text + "a b") == digest(text + "A  b.")
    assert 0 <= digest(text) < 2**63


@pytest.mark.parametrize(("name", "caught"), [
    ("Alice", True),
    ("a l i c e", True),
    ("AIice", True),
    ("Alicе", True),
    ("官方客服", True),
    ("admin", True),
    ("Alina", False), ("Bob", False), ("Administer", False),
])  # fmt: skip
def test_look_alikes_of_the_staff_are_caught(name: str, caught: bool) -> None:
    found = find_impersonation("hi", Around(name=name, staff=("Alice",)))
    assert (found is not None) == caught


findings = st.lists(
    st.builds(Finding, st.sampled_from(sorted(DETECTORS)), st.floats(0, 1), st.just(()),
              st.just(Text("x", "x")), st.booleans()), max_size=6)  # fmt: skip


@given(findings, st.integers(-1, 9))
def test_the_ladder_never_jumps_and_never_removes_in_doubt(
    found: list[Finding], strikes: int
) -> None:
    verdict = plan_act(found, strikes=strikes, remind_at=0.5, remove_at=0.9)
    if verdict.act in LADDER:
        assert LADDER.index(verdict.act) <= max(strikes, 0)
        assert verdict.score >= 0.5
    if verdict.act in ("remove", "ban"):
        assert verdict.score >= 0.9
    assert (verdict.act == "none") == (verdict.score < 0.5)


@given(findings, st.floats(0, 1))
def test_more_evidence_is_never_less_sure(found: list[Finding], score: float) -> None:
    more = Finding("ads", score, (), Text("x", "x"))
    assert combine([*found, more]) >= combine(found) - 1e-12
