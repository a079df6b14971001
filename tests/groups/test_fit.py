"""Five answers: the same ones always lead to the same kind of group, and for reasons."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunluo.groups.blueprints import list_blueprints
from qunluo.groups.blueprints.reading import Decision, Intent, Knowledge, Stage, Value
from qunluo.groups.errors import WrongAnswerError
from qunluo.groups.fit import LEAST, QUESTIONS, Answers, count_points, judge_fit, read_answers

CHOICES = [get_args(kind) for kind in (Stage, Decision, Knowledge, Value, Intent)]
ALL = [Answers(*chosen) for chosen in product(*CHOICES)]
any_answers = st.sampled_from(ALL)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (("steady", "minutes", "none", "low", "high"), "traffic"),
        (("steady", "weeks", "some", "high", "high"), "vip"),
        (("steady", "minutes", "some", "low", "low"), "benefits"),
        (("steady", "weeks", "some", "high", "low"), "seeding"),
        (("stores", "minutes", "none", "middle", "offer"), "store"),
        (("steady", "months", "much", "middle", "low"), "trial"),
        (("steady", "minutes", "none", "middle", "offer"), "flash"),
        (("first", "days", "much", "middle", "high"), "paid"),
        (("idea", "days", "much", "middle", "share"), "topic"),
        (("agents", "days", "some", "middle", "share"), "sharing"),
        (("idea", "days", "some", "high", "low"), None),
        (("steady", "months", "none", "low", "high"), None),
        (("first", "minutes", "none", "low", "low"), None),
        (("steady", "months", "none", "high", "low"), None),
    ],
)
def test_a_business_gets_its_kind(answers: tuple[str, ...], kind: str | None) -> None:
    fit = judge_fit(Answers(*answers), list_blueprints())  # type: ignore[arg-type]
    assert fit.blueprint == kind
    assert fit.suits is (kind is not None)


def test_every_kind_and_not_worth_it_can_be_the_answer() -> None:
    found = {judge_fit(answers, list_blueprints()).blueprint for answers in ALL}
    assert found == {None, *(b.key for b in list_blueprints())}


@given(any_answers, st.randoms(use_true_random=False))
def test_the_order_of_the_blueprints_makes_no_difference(
    answers: Answers, random: object
) -> None:
    mixed = list(list_blueprints())
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert judge_fit(answers, mixed) == judge_fit(answers, list_blueprints())


@given(any_answers)
def test_every_result_has_reasons_and_a_way_on(answers: Answers) -> None:
    fit = judge_fit(answers, list_blueprints())
    assert fit.reasons
    assert all(r.words.en and r.words.zh for r in fit.reasons)
    assert (fit.instead is None) is fit.suits
    assert fit.blueprint not in fit.others
    assert fit.suits or not any(r.speaks_for for r in fit.reasons)


@given(any_answers)
def test_nothing_fits_better_than_what_is_suggested(answers: Answers) -> None:
    fit = judge_fit(answers, list_blueprints())
    points = {b.key: count_points(b, answers) for b in list_blueprints()}
    if fit.blueprint is not None:
        assert points[fit.blueprint] == max(points.values()) >= LEAST
        assert any(r.speaks_for for r in fit.reasons)


@given(any_answers)
def test_every_point_of_the_result_is_told(answers: Answers) -> None:
    fit = judge_fit(answers, list_blueprints())
    best = next((b for b in list_blueprints() if b.key == fit.blueprint), None)
    if best is not None:
        told = {r.question for r in fit.reasons}
        given_ = {q.key: getattr(answers, q.key) for q in QUESTIONS}
        counted = {q for q, a in given_.items() if getattr(best.fit, q).get(a)}
        assert told == counted


def test_questions_offer_all_answers_and_each_blueprint_weighs_them() -> None:
    assert [q.key for q in QUESTIONS] == ["stage", "decision", "knowledge", "value", "intent"]
    for question, choices in zip(QUESTIONS, CHOICES, strict=True):
        assert tuple(key for key, _, _ in question.answers) == choices
        for blueprint in list_blueprints():
            assert set(getattr(blueprint.fit, question.key)) == set(choices)


def test_an_answer_that_is_missing_or_unknown_is_asked_for_again() -> None:
    whole = {
        "stage": "idea",
        "decision": "days",
        "knowledge": "none",
        "value": "low",
        "intent": "high",
    }
    assert read_answers(whole).intent == "high"
    for name in whole:
        with pytest.raises(WrongAnswerError):
            read_answers({k: v for k, v in whole.items() if k != name})
        with pytest.raises(WrongAnswerError):
            read_answers({**whole, name: "moon"})
