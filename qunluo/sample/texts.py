"""All texts a sample may contain, made once: one pool with a range per trade and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from string import Formatter

import numpy as np
import pyarrow as pa

from qunluo.sample import words
from qunluo.sample.numbers import Array, Ints, Random, stream
from qunluo.sample.words import TRADES, Trade

SIZES = {
    "chat": 1600, "question": 900, "praise": 700, "complaint": 450, "need": 400, "draw": 350,
    "answer": 1200, "koc": 500, "shill": 60, "product": 1200, "tip": 60, "greet": 150,
    "reply": 300, "campaign": 150, "lottery": 150, "title": 300, "system": 10,
}  # fmt: skip
PURPOSES = tuple(SIZES)
CODE = {purpose: k for k, purpose in enumerate(PURPOSES)}
PATTERNS: dict[str, Sequence[str]] = {
    **words.MEMBER, **words.BRAND, "shill": words.SHILL, "system": words.SYSTEM,
}  # fmt: skip
POOL_SEED = 0  # the vocabulary is the same for every plan
NUMBERS = ("2", "3", "5", "6", "8", "10", "12", "20")


@dataclass(frozen=True)
class Pool:
    """`texts[start[trade, purpose] : start + size]` are the texts of a purpose in a trade."""

    texts: pa.Array
    start: Ints
    size: Ints

    def pick(self, random: Random, trade: Array, purpose: Array) -> Array:
        """One text number per row."""
        u = random.random(len(trade), np.float32)
        cell = trade * len(PURPOSES) + purpose
        skip = (u * self.size.ravel()[cell]).astype(np.int32)
        result: Array = (self.start.ravel()[cell] + skip).astype(np.int32)
        return result


@cache
def text_pool() -> Pool:
    """Every pattern of every purpose, filled with the vocabulary of every trade."""
    found: list[str] = []
    start = np.zeros((len(TRADES), len(PURPOSES)), np.int64)
    size = np.zeros_like(start)
    for t, trade in enumerate(TRADES):
        for p, purpose in enumerate(PURPOSES):
            texts = _texts(trade, purpose)
            start[t, p], size[t, p] = len(found), len(texts)
            found += texts
    return Pool(pa.array(found), start, size)


def _texts(trade: Trade, purpose: str) -> list[str]:
    patterns, wanted = PATTERNS[purpose], SIZES[purpose]
    random = stream(POOL_SEED, purpose, trade.shops[0])
    slots = _slots(trade)
    used = {pattern: _names(pattern) for pattern in patterns}
    dice = random.integers(0, 1 << 30, (wanted, 8)).tolist()
    texts = (
        _fill(patterns[k % len(patterns)], used[patterns[k % len(patterns)]], slots, dice[k])
        for k in range(wanted)
    )
    return list(dict.fromkeys(texts))


def _names(pattern: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(pattern) if name]


def _fill(
    pattern: str, names: list[str], slots: dict[str, Sequence[str]], dice: list[int]
) -> str:
    rolled = zip(names, dice, strict=False)
    return pattern.format(**{name: slots[name][d % len(slots[name])] for name, d in rolled})


def _slots(trade: Trade) -> dict[str, Sequence[str]]:
    return {
        "goods": trade.goods,
        "other": trade.goods[::-1],
        "good": trade.good,
        "bad": trade.bad,
        "wish": trade.wish,
        "use": trade.use,
        "tip": trade.tips,
        "place": words.PLACES,
        "time": words.TIMES,
        "folk": words.FOLK,
        "tail": words.TAILS,
        "count": NUMBERS[:4],
        "number": NUMBERS,
    }
