"""Ranks and what they win. Pure: rows in, ranks and prizes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

from qunluo.campaigns.mechanics.kernel import Frozen
from qunluo.campaigns.mechanics.parameters import parameter
from qunluo.kit.text import Text

NEVER = datetime.max.replace(tzinfo=UTC)


class Band(Frozen):
    """The prize of each rank from `first` to `last`; in a contest of teams of each member."""

    # fmt: off
    first: int = parameter(
        Text("From rank", "名次起"), Text("The best of the band.", "区间的第一名。"), ge=1, le=1000)
    last: int = parameter(
        Text("To rank", "名次止"), Text("The last of the band.", "区间的最后一名。"), ge=1, le=1000)
    unit: str = parameter(
        Text("Of what", "奖品"), Text("points, cent, coupon:… or gift:…", "积分、现金、券或礼品。"), "reward",
        min_length=1, max_length=60)
    amount: int = parameter(
        Text("Amount", "数量"), Text("For each rank.", "每个名次的数量。"), ge=1, le=10**9)
    # fmt: on


class Row(Frozen):
    """One who is ranked. `order` decides where all else is equal."""

    id: str
    order: int
    score: int
    reached_at: datetime | None
    members: tuple[int, ...]
    rank: int = 0


def rank(rows: Iterable[Row], *, shared: bool) -> tuple[Row, ...]:
    """Best first. Shared ranks leave a gap after them: 1, 1, 3."""
    ordered = sorted(rows, key=lambda r: (-r.score, r.reached_at or NEVER, r.order))
    if not shared:
        return tuple(r.model_copy(update={"rank": n}) for n, r in enumerate(ordered, 1))
    best: dict[int, int] = {}
    for n, row in enumerate(ordered, 1):
        best.setdefault(row.score, n)
    return tuple(r.model_copy(update={"rank": best[r.score]}) for r in ordered)


def prizes(rows: Sequence[Row], bands: Sequence[Band]) -> Iterator[tuple[Row, str, int]]:
    """Who wins how much of what. Those who share ranks share what these ranks win, each the
    same and nothing over; what can't be divided stays where it was."""
    for first, group in groupby(rows, key=lambda row: row.rank):
        tied = list(group)
        places = range(first, first + len(tied))
        won: Counter[str] = Counter()
        for band in bands:
            won[band.unit] += band.amount * sum(band.first <= p <= band.last for p in places)
        for row in tied:
            for unit, amount in sorted(won.items()):
                if amount >= len(tied):
                    yield row, unit, amount // len(tied)


def total_prizes(bands: Iterable[Band], each: int) -> Counter[str]:
    """All that can be won, where `each` get the prize of one rank."""
    result: Counter[str] = Counter()
    for band in bands:
        result[band.unit] += band.amount * max(0, band.last - band.first + 1) * each
    return result
