"""Acts that wait together are carried out together; nobody waits for nothing, nobody is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Barrier, Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qunluo.campaigns import combining
from qunluo.campaigns.combining import A_MOMENT_S, CROWD, MOST, Combiner


def run(
    combiner: Combiner[int, int], items: Sequence[int], carry_out: object
) -> dict[int, object]:
    """What each item got, all asked for at once by threads of their own."""
    got: dict[int, object] = {}
    start = Barrier(len(items), timeout=30)

    def ask(item: int) -> None:
        start.wait()
        try:
            got[item] = combiner.do("key", item, carry_out)  # type: ignore[arg-type]
        except ValueError as error:
            got[item] = error

    threads = [Thread(target=ask, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return got


def test_what_waits_while_one_is_carried_out_is_the_next_batch() -> None:
    combiner: Combiner[int, int] = Combiner()
    batches: list[list[int]] = []
    begun, go = Event(), Event()

    def carry_out(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        begun.set()
        assert go.wait(30)
        return [item * 2 for item in items]

    first = Thread(target=combiner.do, args=("key", 0, carry_out))
    first.start()
    assert begun.wait(30)
    rest = [Thread(target=combiner.do, args=("key", n, carry_out)) for n in range(1, 9)]
    for thread in rest:
        thread.start()
    while len(combiner._queues["key"]) < 8:
        pass
    go.set()
    for thread in (first, *rest):
        thread.join(30)
    assert batches[0] == [0]
    assert sorted(batches[1]) == list(range(1, 9))
    assert not combiner._led


@settings(max_examples=25)
@given(st.sets(st.integers(0, 999), min_size=1, max_size=40), st.sets(st.integers(0, 999)))
def test_each_gets_its_own_answer_and_who_fails_fails_alone(
    items: set[int], bad: set[int]
) -> None:
    combiner: Combiner[int, int] = Combiner()

    def carry_out(batch: Sequence[int]) -> list[int]:
        assert len(batch) <= MOST
        if bad & set(batch):
            raise ValueError("one of them can't be")
        return [item * 2 for item in batch]

    got = run(combiner, sorted(items), carry_out)
    for item in items:
        if item in bad:
            assert isinstance(got[item], ValueError)
        else:
            assert got[item] == item * 2
    assert not combiner._led
    assert not combiner._queues


def test_who_is_alone_leads_at_once() -> None:
    combiner: Combiner[int, int] = Combiner()
    assert combiner.do("key", 4, lambda items: [sum(items)]) == 4
    with pytest.raises(ZeroDivisionError):
        combiner.do("key", 0, lambda items: [1 // item for item in items])
    assert combiner.do("key", 5, lambda items: [sum(items)]) == 5


def test_a_crowd_that_comes_again_is_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combining, "LINGER_S", 0.2)  # for busy machines
    combiner: Combiner[int, int] = Combiner()
    batches: list[int] = []

    def carry_out(items: Sequence[int]) -> list[int]:
        batches.append(len(items))
        return list(items)

    combiner._note("key", CROWD)
    run(combiner, range(CROWD), carry_out)
    assert batches == [CROWD]


def test_who_is_alone_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(seconds: float) -> None:
        raise AssertionError("waited")

    combiner: Combiner[int, int] = Combiner()
    combiner._note("key", CROWD - 1)
    combiner._crowds["elsewhere"] = CROWD, time.monotonic()
    combiner._crowds["long ago"] = CROWD, time.monotonic() - 10 * A_MOMENT_S
    monkeypatch.setattr(time, "sleep", never)
    for key in ("key", "long ago"):
        assert combiner.do(key, 1, list) == 1


def test_a_crowd_that_stays_away_is_not_waited_for_long() -> None:
    combiner: Combiner[int, int] = Combiner()
    combiner._note("key", 100)
    assert combiner.do("key", 1, list) == 1
    assert not combiner._crowds
