"""What an expression may say, and how it reads."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.members.models import Consent
from qunluo.segments.errors import WrongTreeError
from qunluo.segments.rules import (
    DEEPEST,
    NUMBERS,
    PURPOSES,
    UTM,
    All,
    Allows,
    Birthday,
    Came,
    Did,
    Flagged,
    InSegment,
    Near,
    Not,
    StandsIn,
    Tagged,
    Vocabulary,
    as_json,
    check,
    resolve,
    walk,
)
from qunluo.segments.rules import NOBODY as NONE
from qunluo.segments.sentences import (
    DEEDS,
    MEASURES,
    PURPOSE_NAMES,
    UTM_NAMES,
    sentence,
)
from qunluo.segments.windows import birthdays
from qunluo.standing.facts import KINDS
from tests.segments.strategies import WORDS_ALONE as WORDS
from tests.segments.strategies import trees

COFFEE = All((
    StandsIn("lifecycle", ("silent",)), Did("paid", at_least=1, days=90),
    Near(30.25, 120.15, 5.0, "West Lake"), Tagged(1),
))  # fmt: skip


@given(trees(WORDS))
def test_what_is_written_is_read_back(tree: Any) -> None:
    assert check(as_json(tree), WORDS) == tree


@given(trees(WORDS))
def test_every_tree_reads_as_a_sentence_in_both_languages(tree: Any) -> None:
    said = sentence(tree, WORDS)
    assert said.en.startswith("Members who ")
    assert said.zh.endswith("的成员。")
    assert "{" not in said.en + said.zh


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["all", "any", "not", "field", "fact", "tag", "standing", "did", "spent", "near",
                 "in_group", "segment", "op", "came_by", "allows", "channel", "key",
                 "value", "is", "days", "at_least", "between"]
            ),
            inner | st.sampled_from(["trust", "lifecycle", "paid", "age", ">=", "region", "is"]),
            max_size=4,
        ),
        max_leaves=10,
    )
)  # fmt: skip
def test_what_is_no_tree_is_refused_and_never_breaks(raw: Any) -> None:
    with suppress(WrongTreeError):
        check(raw, WORDS)


def test_the_way_to_the_wrong_part_is_told() -> None:
    raw = {"all": [{"tag": 1}, {"any": [{"tag": 2}, {"tag": 77}]}]}
    with pytest.raises(WrongTreeError) as told:
        check(raw, WORDS)
    assert told.value.message("en") == "At condition 2 › 2: choose a tag that is there."
    assert told.value.message("zh") == "在条件 2 › 2：请选择一个存在的标签。"


@pytest.mark.parametrize(
    "raw",
    [
        {}, [], {"all": []}, {"never": True}, {"tag": True}, {"standing": "trust", "op": ">=", "value": 7},
        {"did": "paid"}, {"did": "paid", "at_least": 0}, {"did": "flew", "at_least": 1},
        {"spent": {"between": [200, 100]}}, {"spent": {"between": [None, None]}},
        {"near": {"lat": 91, "lon": 0, "km": 1}}, {"near": {"lat": 1, "lon": 0, "km": float("nan")}},
        {"field": "age", "op": "contains", "value": "3"}, {"field": "skin", "op": "is", "value": "wet"},
        {"standing": "flags", "is": []}, {"standing": "flags", "is": ["late"]}, {"came_by": "code", "is": 77},
        {"came_by": "ship"}, {"came_by": "utm", "key": "id", "is": "x"}, {"came_by": "utm", "key": "term"},
        {"allows": "spam", "channel": "web"}, {"allows": "marketing", "channel": "a b"}, {"allows": []},
        {"did": "paid", "at_least": 1, "days": 0}, {"fact": "birthday", "op": "month", "value": 13},
    ],
)  # fmt: skip
def test_nonsense_is_refused(raw: Any) -> None:
    with pytest.raises(WrongTreeError):
        check(raw, WORDS)


def test_too_deep_and_too_many_are_refused() -> None:
    deep: Any = {"tag": 1}
    for _ in range(DEEPEST + 1):
        deep = {"not": deep}
    for raw in (deep, {"all": [{"tag": 1}] * 300}):
        with pytest.raises(WrongTreeError):
            check(raw, WORDS)


def test_a_segment_can_not_lead_back_to_itself() -> None:
    words = Vocabulary(segments={1: ("one", Tagged(1)), 2: ("two", Not(InSegment(1)))})
    for raw in ({"segment": 1}, {"segment": 2}):
        with pytest.raises(WrongTreeError):
            check(raw, words, own=1)
    assert check({"segment": 1}, words, own=2) == InSegment(1)


def test_a_circle_that_is_there_all_the_same_is_nobody() -> None:
    words = Vocabulary(segments={1: ("one", InSegment(2)), 2: ("two", InSegment(1))})
    assert resolve(InSegment(1), words) == NONE


@given(trees(WORDS))
def test_what_is_resolved_names_no_segments(tree: Any) -> None:
    assert not any(isinstance(part, InSegment) for part in walk(resolve(tree, WORDS)))


def test_the_coffee_sentence() -> None:
    said = sentence(COFFEE, WORDS)
    assert said.en == (
        "Members who are silent, bought at least once in the last 90 days, are within 5 km of "
        "West Lake and have the tag drink · coffee."
    )
    assert said.zh == (
        "生命周期为沉默，且最近 90 天购买至少 1 次，且在West Lake 5 公里范围内，"
        "且带有标签“drink · coffee”的成员。"
    )


def test_not_reads_as_the_opposite() -> None:
    said = sentence(Not(All((Tagged(1), Did("said", at_least=1, days=7)))), WORDS)
    assert said.en == (
        "Members who do not have the tag drink · coffee or never said something in the last 7 days."
    )
    assert said.zh == "没有标签“drink · coffee”，或最近 7 天没有发言的成员。"


def test_everything_that_may_be_asked_has_its_words() -> None:
    assert set(DEEDS) == set(KINDS)
    assert set(MEASURES) == set(NUMBERS)
    assert set(PURPOSE_NAMES) == set(PURPOSES) == set(Consent.PURPOSES)
    assert set(UTM_NAMES) == set(UTM)


@pytest.mark.parametrize(("node", "en", "zh"), [
    (Flagged(("refunded", "left")), "showed that they got money back or left a group",
     "风险提示含有退款或退过群"),
    (Came("code", 3), "first came by the channel code Shop window", "首次来源为渠道码“Shop window”"),
    (Came("utm", "spring", "campaign"), "first came by the campaign “spring”",
     "首次来源为活动“spring”"),
    (Not(Came("inviter")), "did not first come by a member's invitation", "首次来源不是成员邀请"),
    (Came("nothing"), "first came by themselves", "首次来源为自然到来"),
    (Allows("marketing", "web"), "allow offers on web", "在 web 上允许营销消息"),
    (Not(Allows("service", "all")), "do not allow service messages", "未允许服务消息"),
    (Came("code", 77), "first came by the channel code (gone)", "首次来源为渠道码“（已删除）”"),
])  # fmt: skip
def test_source_consent_and_risk_read_well(node: Any, en: str, zh: str) -> None:
    said = sentence(node, WORDS)
    assert (said.en, said.zh) == (f"Members who {en}.", f"{zh}的成员。")


def test_who_was_born_on_the_29th_of_february_is_not_left_out() -> None:
    assert 29 in birthdays(Birthday("within", 1), date(2026, 2, 28))[2]
    assert 29 not in birthdays(Birthday("within", 1), date(2024, 2, 28))[2]
    assert 29 in birthdays(Birthday("within", 2), date(2024, 2, 28))[2]
