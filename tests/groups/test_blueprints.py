"""Ten kinds of group as files: complete, in both languages, and refused where they are wrong."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.groups.blueprints import Blueprint, find_blueprint, list_blueprints
from qunluo.groups.blueprints.reading import BLANK, STEPS, read_blueprint
from qunluo.groups.detectors import DETECTORS
from qunluo.groups.errors import NoBlueprintError, WrongBlueprintError
from qunluo.groups.moderation import CLASSIFIER
from qunluo.kit.text import Text
from qunluo.messaging.rules import check_pattern, matches

KEYS = ["traffic", "vip", "benefits", "seeding", "store", "trial", "flash", "paid", "topic",
        "sharing"]  # fmt: skip
PLACES = {
    "traffic": ("high", "low"), "vip": ("high", "high"), "benefits": ("low", "low"),
    "seeding": ("low", "high"),
}  # fmt: skip
SOURCE = files("qunluo.groups.blueprints").joinpath("traffic.toml").read_text("utf-8")


def words_of(value: object) -> list[Text]:
    """Every text in a blueprint."""
    if isinstance(value, Text):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in words_of(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in words_of(part)]
    if hasattr(value, "__pydantic_fields__"):
        return words_of({name: getattr(value, name) for name in type(value).model_fields})
    return []


def test_all_ten_are_there_in_their_order_and_the_quadrant_is_whole() -> None:
    assert [b.key for b in list_blueprints()] == KEYS
    placed = {b.key: (b.intent, b.order_value) for b in list_blueprints() if b.intent}
    assert placed == PLACES


@pytest.mark.parametrize("found", list_blueprints(), ids=lambda b: b.key)
def test_every_word_is_in_both_languages(found: Blueprint) -> None:
    texts = words_of(found)
    assert len(texts) > 40
    for text in texts:
        assert not re.search("[一-鿿]", text.en), text.en
        if not re.fullmatch(r"[\s\W\d{}]*", text.zh):
            assert re.search("[一-鿿]", text.zh), text.zh


@pytest.mark.parametrize("found", list_blueprints(), ids=lambda b: b.key)
def test_what_a_group_says_to_members_has_no_blanks(found: Blueprint) -> None:
    said = [found.welcome, found.rules, found.gives, *(found.pinned or ())]
    assert not any(BLANK.search(text(lang)) for text in said for lang in ("en", "zh"))


@pytest.mark.parametrize("found", list_blueprints(), ids=lambda b: b.key)
def test_replies_can_be_used_and_rules_name_detectors(found: Blueprint) -> None:
    for reply in found.replies:
        for lang in ("en", "zh"):
            assert check_pattern(reply.how, reply.pattern(lang))
            assert len(reply.pattern(lang)) <= 200
    assert set(found.moderation) == {*DETECTORS, CLASSIFIER}
    assert {item.step for item in found.checklist} == set(STEPS)
    assert all(len(i.title(lang)) <= 200 for i in found.checklist for lang in ("en", "zh"))
    assert [i.due_h for i in found.checklist] == sorted(i.due_h for i in found.checklist)


@pytest.mark.parametrize(
    ("key", "lang", "asked"),
    [
        ("traffic", "zh", "请问怎么下单呀"), ("traffic", "en", "How do I order this?"),
        ("store", "zh", "几点关门"), ("store", "en", "When do you close?"),
        ("flash", "zh", "还有吗"), ("paid", "zh", "回放在哪里看"), ("vip", "zh", "想预约周六"),
        ("benefits", "zh", "怎么抽奖"), ("trial", "zh", "作业怎么交"),
        ("sharing", "zh", "今天的素材"), ("topic", "zh", "怎么提建议"), ("seeding", "zh", "多少钱"),
    ],
)  # fmt: skip
def test_what_members_ask_is_answered(key: str, lang: str, asked: str) -> None:
    replies = find_blueprint(key).replies
    assert any(matches(r.how, r.pattern(lang), asked) for r in replies)


def test_a_blueprint_that_is_not_there_is_named() -> None:
    with pytest.raises(NoBlueprintError, match="castle"):
        find_blueprint("castle")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = { en = "Daily deals", zh = "低价引流群" }', 'name = { en = "Deals" }', "both languages"),
        ('zh = "低价引流群"', 'zh = " "', "one of them is empty"),
        ("order = 10", "order = 10\ncolour = 3", "colour"),
        ('gate = { kind = "open" }', 'gate = { kind = "moon" }', "a gate's kind is one of"),
        ("Welcome {name}!", "Welcome {friend}!", "nothing fills friend"),
        ("{region}-{nick}", "{region}{nick}", "side by side"),
        ('step = "build"', 'step = "week"', "plan → build → seed → open → week"),
        ('links = "act"', 'links = "bite"', "moderation.links"),
        ("capacity = 200", "capacity = 0", "capacity"),
        ('intent = "high"\n', "", "both or neither"),
        ("stage = { idea = -4", "stage = { moon = -4", "fit.stage"),
        ("hours = 4320 # half", "hours = 4320\nmost_h = 2 # half", "goodbye needs time"),
        ("deliver|when", "deliver(|when", "replies"),
        ("order = 10", "order = ", "line"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_place_and_reason(old: str, new: str, said: str) -> None:
    assert old in SOURCE
    with pytest.raises(WrongBlueprintError) as caught:
        read_blueprint("x.toml", SOURCE.replace(old, new))
    assert "x.toml" in caught.value.message("en")
    assert said in caught.value.message("en")


@given(st.text(max_size=200))
def test_any_text_is_a_blueprint_or_a_sentence(text: str) -> None:
    with pytest.raises(WrongBlueprintError):
        read_blueprint("x.toml", text)
