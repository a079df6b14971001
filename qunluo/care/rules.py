"""How alike wishes are, and other decisions of care. Pure: values in, a decision out."""

from __future__ import annotations

from qunluo.kit.grams import grams


def likeness(one: str, other: str) -> float:
    """How much two texts share, 0 to 1: common words and pairs of signs, of all."""
    mine, theirs = set(grams(one).split()), set(grams(other).split())
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0
