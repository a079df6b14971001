"""How numbers are written inside the sentences of findings."""

from __future__ import annotations

from qunluo.kit.text import Text


def percent(share: float) -> str:
    """ "7 in 10" as "70%"; small shares keep a digit."""
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def number(value: float) -> str:
    """A count with separators; a broken number with at most one digit after the point."""
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:,.1f}"


def many(n: int, one: str, several: str | None = None) -> str:
    """English count of things: "1 group", "3 groups"."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def interval(low: float, high: float) -> Text:
    """A 95 % interval of a share, in words."""
    return Text(
        f"95% interval {percent(low)} to {percent(high)}",
        f"95% 区间 {percent(low)} 至 {percent(high)}",
    )


def nothing(en: str, zh: str) -> Text:
    """The sentence of a finding with n = 0."""
    return Text(f"There is nothing to count here: {en}.", f"无可统计：{zh}。")
