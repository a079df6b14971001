"""I12: a score of suspicion from style, timing and company, with its evidence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from qunluo.insight.figures import Finding, Quote
from qunluo.insight.metrics.shills import SHILL_SUSPICION, ramp
from tests.insight.tables_builder import Said, at, find, tables

DAYS = 60
CLASSES = {"shop": "brand", "notices": "system"}
Words = Callable[[np.random.Generator, int], tuple[str, str | None]]


def praise(random: np.random.Generator, i: int) -> tuple[str, str | None]:
    if random.random() < 0.3:
        return "sticker", None
    return "text", str(random.choice(["真好用", "支持支持", "买它", "又囤了"]))


def prose(random: np.random.Generator, i: int) -> tuple[str, str | None]:
    return "text", f"今天第{i}次路过门口看到排队的人{random.integers(10**6)}，先回家了"


def regular(who: str, words: Words, n: int = 520, seed: int = 1, shift: int = 0) -> list[Said]:
    """Every forty minutes from nine on, ten times a day."""
    random = np.random.default_rng(seed)
    said = []
    for i in range(n):
        kind, text = words(random, i)
        minute = 40 * (i % 10) + shift + int(random.integers(0, 4))
        said.append(Said("g", who, at(i // 10, 9, minute), text, kind=kind))
    return said


def bursty(who: str, words: Words, n: int = 520, seed: int = 2) -> list[Said]:
    """Two short chats a day, at any time, as people do."""
    random = np.random.default_rng(seed)
    said, hour = [], 9
    for i in range(n):
        kind, text = words(random, i)
        hour = int(random.integers(7, 22)) if i % 5 == 0 else hour
        said.append(
            Said("g", who, at(i // 10, hour, i % 5, int(random.integers(60))), text, kind=kind)
        )
    return said


def crowd(n: int = 14_000) -> list[Said]:
    """Everybody else: enough that 520 messages are about 3.5 %."""
    return [
        Said("g", f"m{i % 90}", at(i % DAYS, 8 + i % 12, i % 60, i % 59), f"话{i}")
        for i in range(n)
    ]


CROWD = crowd()


def shills(*parts: list[Said]) -> Finding:
    return find(
        SHILL_SUSPICION, tables([*CROWD, *(m for p in parts for m in p)], classes=CLASSES)
    )


def score(found: Finding, who: str) -> dict[str, float]:
    [account] = [a for a in found.value["accounts"] if a["account"].name == who]
    return {"score": account["score"], **account["signs"], "suspicious": account["suspicious"]}


def test_canned_praise_at_machine_pace_is_suspicious_with_evidence() -> None:
    found = shills(regular("puppet", praise))
    mine = score(found, "puppet")
    assert mine["suspicious"]
    assert mine["style"] == mine["timing"] == 1.0
    assert found.value["suspicious"] == 1
    [row] = found.tables[0].rows
    assert isinstance(row[6], Quote)
    assert row[6].text in {"真好用", "支持支持", "买它", "又囤了"}
    assert "not a verdict" in found.sentence.en


def test_an_eager_member_with_words_of_their_own_is_not() -> None:
    mine = score(shills(bursty("tom", prose)), "tom")
    assert not mine["suspicious"]
    assert mine["style"] == 0.0
    assert mine["timing"] < 0.5


@pytest.mark.parametrize(("make", "words"), [(bursty, praise), (regular, prose)])
def test_one_sign_alone_is_never_enough(make: Callable[..., list[Said]], words: Words) -> None:
    assert not score(shills(make("tom", words)), "tom")["suspicious"]


def test_company_of_other_suspects_raises_the_score() -> None:
    alone = score(shills(regular("puppet", praise)), "puppet")
    random = np.random.default_rng(4)
    days = sorted(random.choice(200, 60, replace=False).tolist())

    def on(who: str, seed: int) -> list[Said]:
        said = regular(who, praise, seed=seed, shift=seed % 3)
        return [
            Said("g", who, at(days[i // 10], m.at.hour, m.at.minute), m.text, kind=m.kind)
            for i, m in enumerate(said)
        ]

    together = shills(on("puppet", 1), on("other", 2))
    assert alone["together"] == 0.0
    assert score(together, "puppet")["together"] >= 0.5
    assert score(together, "puppet")["score"] > alone["score"]
    assert together.value["suspicious"] == 2


@pytest.mark.parametrize("n", [499, 700])
def test_outside_the_bounds_of_volume_nobody_is_a_candidate(n: int) -> None:
    found = shills(regular("puppet", praise, n=n))
    assert found.n == 0
    assert "nobody to suspect" in found.sentence.en


def test_brand_accounts_are_no_candidates_and_system_messages_do_not_count() -> None:
    notices = [Said("g", "notices", at(i % DAYS)) for i in range(20_000)]
    found = shills(regular("shop", praise), regular("puppet", praise), notices)
    assert [a["account"].name for a in found.value["accounts"]] == ["puppet"]


def test_a_ramp_is_straight_between_its_ends() -> None:
    assert [ramp(v, 0.3, 0.7) for v in (0.1, 0.3, 0.5, 0.7, 0.9)] == pytest.approx(
        [0, 0, 0.5, 1, 1]
    )
