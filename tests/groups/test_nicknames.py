"""A nickname that follows the template is read back; any other is kindly asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.community.models import Community
from qunluo.groups.actions import do_join
from qunluo.groups.errors import WrongTemplateError
from qunluo.groups.models import Group, Membership
from qunluo.groups.naming import do_set_nickname, find_example
from qunluo.groups.nicknames import (
    BETWEEN,
    ask_for_nickname,
    check_template,
    make_example,
    parse_nickname,
    render_nickname,
    wants_reminder,
)
from qunluo.kit.text import Text
from qunluo.members.models import Field, Member, Tag, TagGroup
from tests.cast import make_group

words = st.text(st.sampled_from("上海小满Bob0年糕é"), min_size=1, max_size=9)
keys = st.lists(st.sampled_from(["city", "nick", "job", "child-age", "a_b"]), unique=True,
                min_size=1, max_size=4)  # fmt: skip
spans = st.timedeltas(timedelta(), timedelta(days=3))
between = st.sampled_from(["-", "|", " · ", "/", " ", "：", "_"])


@given(st.data(), keys)
def test_what_a_template_renders_it_reads_back(data: st.DataObject, names: list[str]) -> None:
    signs = [data.draw(between) for _ in names[1:]]
    template = "".join(f"{{{n}}}{s}" for n, s in zip(names, [*signs, ""], strict=True))
    values = {name: data.draw(words) for name in names}
    assert parse_nickname(template, render_nickname(template, values)) == values


@given(st.text(max_size=90), st.text(max_size=90))
def test_any_text_is_read_or_refused_at_once(template: str, nickname: str) -> None:
    try:
        check_template(template)
    except WrongTemplateError:
        return
    found = parse_nickname(template, nickname)
    assert found is None or all(value.strip() for value in found.values())


@pytest.mark.parametrize(
    "typed", ["上海-小满", "上海－小满", "上海 — 小满", " 上海_小满 ", "上海～小满"]
)
def test_signs_that_look_alike_are_equal(typed: str) -> None:
    assert parse_nickname("{city}-{nick}", typed) == {"city": "上海", "nick": "小满"}


@pytest.mark.parametrize("typed", ["小满", "-小满", "上海-", "", "- -"])
def test_a_nickname_that_says_less_is_no_answer(typed: str) -> None:
    assert parse_nickname("{city}-{nick}", typed) is None


@pytest.mark.parametrize("template", ["hello", "{a}{b}", "{a}-{a}", "{A}-{b}", "{level}-{nick}",
                                      "{a}-{b}-{c}-{d}-{e}-{f}-{g}"])  # fmt: skip
def test_a_template_that_cannot_be_read_back_is_refused(template: str) -> None:
    with pytest.raises(WrongTemplateError):
        check_template(template)


def test_no_template_asks_for_nothing() -> None:
    assert parse_nickname("", "anything") == {}


def test_the_reminder_shows_an_example_of_their_own_name() -> None:
    example = make_example("{city}-{nick}", name="{x}", known={})
    assert example == Text("Shanghai-{x}", "上海-{x}")
    assert "上海-{x}" in ask_for_nickname(example, name="{x}").zh


@given(st.data(), keys)
def test_an_example_follows_its_template_and_shows_no_braces(
    data: st.DataObject, names: list[str]
) -> None:
    template = "".join(f"{{{n}}}{data.draw(st.sampled_from('|·'))}" for n in names) + "."
    example = make_example(template, name="小满", known={"a_b": "年资"})
    for text in (example.en, example.zh):
        assert "{" not in text
        assert parse_nickname(template, text) is not None


def test_placeholders_may_be_chinese() -> None:
    assert parse_nickname("{城市}-{昵称}", "上海-小满") == {"city": "上海", "nick": "小满"}
    assert make_example("{城市}-{昵称}", name="Bob", known={}).zh == "上海-Bob"
    with pytest.raises(WrongTemplateError):
        check_template("{城市}-{city}")


@given(
    st.integers(0, 4), st.integers(0, 3), spans, st.sampled_from([0, 600]), st.none() | spans
)
def test_nicknames_are_asked_for_kindly_and_seldom(
    reminders: int, cap: int, here: timedelta, settle: int, ago: timedelta | None
) -> None:
    asked = wants_reminder(
        reminders=reminders, cap=cap, here=here, settle=timedelta(seconds=settle), ago=ago
    )
    kind = reminders < cap and here.total_seconds() >= settle
    assert asked == (kind and (ago is None or ago >= BETWEEN))


@pytest.fixture
def seat(tea: Community, bob: Member) -> Membership:
    Field.objects.create(community=tea, key="city", label="City", kind="text")
    Field.objects.create(community=tea, key="age", label="Age", kind="number")
    return do_join(make_group(tea, nickname="{city}-{nick}"), bob, by=bob.actor)


@pytest.mark.django_db
def test_a_fitting_nickname_becomes_profile_and_tag(seat: Membership, bob: Member) -> None:
    towns = TagGroup.objects.create(community=bob.community, name="city", single=True)
    Tag.objects.create(group=towns, name="上海")
    done = do_set_nickname(seat, "上海-小满", by=bob.actor)
    bob.refresh_from_db()
    assert (done.compliant, bob.fields) == (True, {"city": "上海"})
    assert [t.tag.name for t in bob.taggings.all()] == ["上海"]


@pytest.mark.django_db
def test_others_are_reminded_once_a_day_and_then_left_alone(
    noon: object, seat: Membership, bob: Member
) -> None:
    first = do_set_nickname(seat, "Bob", by=bob.actor)
    assert first.reminder is not None
    assert do_set_nickname(seat, "Bobby", by=bob.actor).reminder is None
    assert seat.reminders == 1


@pytest.mark.django_db
def test_a_value_that_does_not_fit_its_field_is_no_answer(tea: Community, bob: Member) -> None:
    Field.objects.create(community=tea, key="age", label="Age", kind="number")
    group: Group = make_group(tea, nickname="{age}-{nick}")
    seat = do_join(group, bob, by=bob.actor)
    assert not do_set_nickname(seat, "old-Bob", by=bob.actor).compliant
    assert do_set_nickname(seat, "30-Bob", by=bob.actor).compliant


@pytest.mark.django_db
def test_a_field_of_the_community_is_shown_in_its_words(tea: Community) -> None:
    Field.objects.create(community=tea, key="grinder", label="磨豆机", kind="text")
    kinds = {"community": tea, "label": "口味", "kind": "choice", "choices": ["绿茶", "红茶"]}
    Field.objects.create(key="taste", **kinds)
    group = make_group(tea, nickname="{grinder}-{taste}-{nick}")
    assert find_example(group, "Bob").zh == "磨豆机-绿茶-Bob"
    assert find_example(make_group(tea), "Bob").zh == ""
