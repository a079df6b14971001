"""Standing finds what was planted in a sample, with stated precision and recall.

What a person did (joining, leaving, buying, bringing others) is found without a miss. What was
planted as an inclination only is found as far as they acted on it: who was to go quiet is
always found silent in the end (recall 1), and some who still were to talk, but did so less than
once a month, are found silent too. The circles are drawn anew every night from four weeks, the
planted ones are shares of talk over a group's whole life: among those who talk, one in seven is
planted into a core.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from qunluo.insight.rfm import customers, threshold_scores
from qunluo.sample import Plan, write_sample
from tests.standing.planted import Planted

DAY = date(2022, 3, 1)
LEAST = {  # precision, recall
    "customer": (1.0, 1.0),
    "advocate": (1.0, 1.0),
    "two orders": (1.0, 1.0),
    "new": (1.0, 1.0),
    "lost by leaving": (1.0, 1.0),
    "lost": (0.90, 1.0),
    "silent or lost": (0.88, 1.0),
    "mature": (0.80, 0.60),
    "core": (0.60, 0.30),
    "inner circles": (0.55, 0.45),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(Plan.sized(100_000), folder)
    return Planted(folder, DAY)


@pytest.mark.parametrize("name", LEAST)
def test_what_was_planted_is_found(planted: Planted, name: str) -> None:
    score, (precision, recall) = planted.score(name), LEAST[name]
    assert score.planted >= 15, score
    assert score.precision >= precision, score
    assert score.recall >= recall, score


def test_the_core_is_never_more_than_its_share(planted: Planted) -> None:
    inside = [v for v in planted.found.values() if v.values["groups"]]
    assert 0 < len(planted.has("circle", "core")) <= 0.05 * len(inside)


def test_rfm_classes_are_those_of_the_report(planted: Planted) -> None:
    """The same orders through the report's own rule."""
    days = planted.orders["paid_at"].cast("date32").cast("int32").to_numpy().astype(np.int64)
    ids = np.array(planted.orders["member_id"].to_pylist(), dtype=str)
    until = (DAY - date(1970, 1, 1)).days
    found = customers(ids, days, planted.orders["amount_minor"].to_numpy(), until)
    scores = threshold_scores(found)
    want = dict(
        zip(found.ids.tolist(), zip(scores.r, scores.f, scores.m, strict=True), strict=True)
    )
    mine = {
        pk: tuple(v.values[n] for n in ("recency", "frequency", "monetary"))
        for pk, v in planted.found.items() if v.values["orders"]
    }  # fmt: skip
    assert len(want) > 200
    assert mine == want


def test_who_goes_quiet_had_a_higher_risk_before(planted: Planted) -> None:
    """A member planted to be quiet by now has more risk than one who still talks: the area under
    the curve."""
    alive = {pk: v for pk, v in planted.found.items() if v.values["lifecycle"] != "lost"}
    spoke = [pk for pk in alive if pk in planted.quiet_on]
    quiet = np.array([planted.quiet_on[pk] <= DAY for pk in spoke])
    risk = np.array([alive[pk].values["churn"] for pk in spoke], float)
    above = (risk[quiet][:, None] > risk[~quiet][None, :]).mean()
    even = (risk[quiet][:, None] == risk[~quiet][None, :]).mean()
    assert above + even / 2 >= 0.62
