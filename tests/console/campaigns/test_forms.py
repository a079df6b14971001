"""A form for every model's rules: what is typed becomes rules, and rules become what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from django.http import QueryDict
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.campaigns.registry import find_mechanic, list_mechanics
from qunluo.console.campaigns.inputs import Offer, draw
from qunluo.console.campaigns.parameters import KINDS, Parameter, parameters_of
from qunluo.console.campaigns.preview import draw_screen
from qunluo.console.campaigns.typed import (
    Shop,
    Typed,
    act_on,
    as_typed,
    one,
    read_rules,
    read_typed,
    usual_typed,
)
from tests.console.campaigns.filling import BARGAIN, GROUP_BUY

SHOP = Shop("CNY", "Asia/Shanghai")
MODELS = sorted(list_mechanics())


def typed(values: dict[str, str]) -> Typed:
    given = QueryDict(mutable=True)
    given.update(values)
    return read_typed(given)


def everything(parameters: Iterable[Parameter]) -> Iterable[Parameter]:
    for parameter in parameters:
        yield parameter
        yield from everything(parameter.parts)


@pytest.mark.parametrize("model", MODELS)
def test_every_field_of_every_model_has_an_input_and_words(model: str) -> None:
    for parameter in everything(parameters_of(model)):
        assert parameter.kind in KINDS
        assert parameter.title.en
        assert re.search("[一-鿿]", parameter.title.zh), (model, parameter.name)


@pytest.mark.parametrize("model", MODELS)
def test_a_fresh_form_is_drawn_and_says_what_is_missing(model: str) -> None:
    parameters = parameters_of(model)
    fresh = usual_typed(parameters, SHOP)
    assert draw(parameters, fresh, Offer(SHOP), {})
    rules, _values, wrong = read_rules(model, fresh, SHOP)
    assert rules is not None or wrong
    for path, sentence in wrong.items():
        assert sentence, path


@pytest.mark.parametrize(("model", "form"), [("bargain", BARGAIN), ("group_buy", GROUP_BUY)])
def test_what_is_typed_becomes_rules_and_comes_back_as_it_was(
    model: str, form: dict[str, str]
) -> None:
    rules, _values, wrong = read_rules(model, typed(form), SHOP)
    assert wrong == {}
    again = as_typed(parameters_of(model), rules.model_dump(mode="json"), SHOP)
    same, _values, wrong = read_rules(model, again, SHOP)
    assert (same, wrong) == (rules, {})


def test_money_spans_and_rewards_are_read_in_their_units() -> None:
    rules, _values, _wrong = read_rules("group_buy", typed(GROUP_BUY), SHOP)
    assert rules.prices[0].price_minor == 4_500
    assert [tier.off_minor for tier in rules.tiers] == [200, 450]
    assert rules.minutes == 24 * 60
    assert (rules.leader_bonus.unit, rules.leader_bonus.amount) == ("cent", 600)
    named = {**GROUP_BUY, "r.leader_bonus~what": "coupon", "r.leader_bonus~name": "spring",
             "r.leader_bonus": "1"}  # fmt: skip
    rules, _values, _wrong = read_rules("group_buy", typed(named), SHOP)
    assert rules.leader_bonus.unit == "coupon:spring"
    none = {**GROUP_BUY, "r.leader_bonus~what": ""}
    assert read_rules("group_buy", typed(none), SHOP)[0].leader_bonus is None


@pytest.mark.parametrize(
    ("path", "text"),
    [("r.start_minor", "a lot"), ("r.helpers", "0"), ("r.helpers", "2.5"), ("r.sku", ""),
     ("r.minutes", "99999999"), ("r.winners", "-1"), ("r.floor_minor", "1e99")],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_what_is_wrong_is_said_at_its_input(path: str, text: str, lang: str) -> None:
    with override(lang):
        rules, _values, wrong = read_rules("bargain", typed({**BARGAIN, path: text}), SHOP)
    assert rules is None
    assert list(wrong) == [path]


def test_a_place_in_a_row_is_named_by_its_row() -> None:
    form = {**GROUP_BUY, "r.tiers.1.people": "1", "r.leader_bonus": "0"}
    _rules, _values, wrong = read_rules("group_buy", typed(form), SHOP)
    assert set(wrong) == {"r.tiers.1.people", "r.leader_bonus"}


def test_rows_come_and_go_and_the_others_move_up() -> None:
    form = typed(GROUP_BUY)
    act_on(form, "add:r.tiers")
    assert one(form, "r.tiers.size") == "3"
    act_on(form, "drop:r.tiers.0")
    assert one(form, "r.tiers.size") == "2"
    assert one(form, "r.tiers.0.off_minor") == "4.50"
    assert one(form, "r.tiers.1.people") == ""


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["r.tiers.size", "r.prices.size", "r.tiers.0.people", "r.leader_bonus~what",
             "r.minutes~unit", "r.leader_bonus", "r.size", "r.prices.0.sku", "x"]
        ),
        st.text(max_size=12),
    ),
    st.text(max_size=14),
)  # fmt: skip
def test_nothing_that_is_sent_breaks_the_form(values: dict[str, str], act: str) -> None:
    form = typed({**GROUP_BUY, **values})
    for pressed in (act, f"add:{act}", f"drop:{act}", "drop:r.tiers.0"):
        act_on(form, pressed)
    read_rules("group_buy", form, SHOP)
    draw(parameters_of("group_buy"), form, Offer(SHOP), {})


@pytest.mark.parametrize(("model", "form"), [("bargain", BARGAIN), ("group_buy", GROUP_BUY)])
def test_a_fresh_play_is_shown_as_on_a_phone(model: str, form: dict[str, str]) -> None:
    rules, _values, _wrong = read_rules(model, typed(form), SHOP)
    screen = draw_screen(find_mechanic(model), rules, "CNY")
    assert screen.needed == 3
    assert screen.until
