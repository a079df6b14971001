"""A write with a key is done once, whoever asks how often."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from qunluo.api.actions import do_forget
from qunluo.api.models import Remembered, Token
from qunluo.api.operations import KEY_LENGTH
from qunluo.groups.models import Group
from qunluo.kit import clock
from tests.api.calling import Program
from tests.cast import NOON
from tests.racing import won

pytestmark = pytest.mark.django_db(transaction=True)
TEA = {"name": "Green", "purpose": "to taste"}


def test_the_same_key_gets_the_same_answer(program: Program) -> None:
    first = program.post("groups", TEA, key="k1")
    Group.objects.update(name="Renamed")
    assert program.post("groups", TEA, key="k1") == first
    assert Group.objects.count() == 1


def test_without_a_key_each_is_another(program: Program) -> None:
    assert program.post("groups", TEA)["id"] != program.post("groups", TEA)["id"]


def test_a_key_is_of_one_request(program: Program) -> None:
    program.post("groups", TEA, key="k1")
    other = {**TEA, "name": "Black"}
    assert program.refused("POST", "groups", other, key="k1") == (409, "key_reused")
    assert program.refused("POST", "channel-codes", {"name": "x"}, key="k1")[1] == "key_reused"


def test_what_failed_may_be_tried_again(program: Program) -> None:
    wrong = {**TEA, "nickname": "{"}
    assert program.refused("POST", "groups", wrong, key="k1")[0] == 422
    assert not Remembered.objects.exists()
    program.post("groups", TEA, key="k1")


@pytest.mark.parametrize("key", ["x" * (KEY_LENGTH + 1), "ü", " "])
def test_strange_keys_are_refused(program: Program, key: str) -> None:
    status, code = program.refused("POST", "groups", TEA, key=key)
    assert (status, code) == (422, "wrong_idempotency_key")


def test_answers_are_kept_a_day(program: Program) -> None:
    with clock.use(clock.faster(0, NOON)):
        program.post("groups", TEA, key="k1")
        assert do_forget() == 0
    with clock.use(clock.faster(0, NOON + timedelta(days=1, seconds=1))):
        assert do_forget() == 1


def together(count: int, work: Callable[[int], object]) -> None:
    won([partial(work, n) for n in range(count)])


def test_two_at_once_without_a_key_do_it_twice(program: Program) -> None:
    """The control: the race is there."""
    together(4, lambda n: program.post("groups", TEA))
    assert Group.objects.count() == 4


def test_many_at_once_with_one_key_do_it_once(program: Program) -> None:
    answers: list[str] = []

    def ask(n: int) -> None:
        answers.append(json.dumps(program.post("groups", TEA, key="k1"), sort_keys=True))

    together(6, ask)
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert Group.objects.count() == 1


def test_who_begin_a_minute_together_are_all_counted(program: Program) -> None:
    with clock.use(clock.faster(0, NOON)):
        codes: list[int] = []
        together(6, lambda n: codes.append(program.call("GET", "communities").status_code))
    assert codes == [200] * 6
    assert Token.objects.get().calls == 6


def test_many_at_once_never_pass_the_limit(program: Program) -> None:
    with clock.use(clock.faster(0, NOON)):
        Token.objects.update(per_minute=3, minute_at=NOON.replace(second=0), calls=0)
        codes: list[int] = []
        together(6, lambda n: codes.append(program.call("GET", "communities").status_code))
    assert sorted(codes) == [200, 200, 200, 429, 429, 429]
