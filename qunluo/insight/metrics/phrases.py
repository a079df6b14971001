"""How numbers are written inside the sentences of findings."""

from __future__ import annotations

from qunluo.kit.text import Text


def percent(share: float) -> str:
    """ "7 in 10" as "70%"; small shares keep a digit, and only all is 100%, only none 0%."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.995 <= share < 1:
        return f"{min(share, 0.999):.1%}"
    text = f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"
    return text.replace(".0%", "%")


def number(value: float) -> str:
    """A count with separators; a broken number with at most one digit after the point."""
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:,.1f}"


def signed(value: float) -> str:
    """Two digits after the point, with a real minus sign."""
    return f"{value:.2f}".replace("-", "−")


def many(n: int, one: str, several: str | None = None) -> str:
    """English count of things: "1 group", "3 groups"."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def interval(low: float, high: float) -> Text:
    """A 95 % interval of a share, in words."""
    return Text(
        f"95% interval {percent(low)} to {percent(high)}",
        f"95% 区间 {percent(low)} 至 {percent(high)}",
    )


def at_once(parts: list[str]) -> str:
    """English list: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


NO_BRAND = Text(
    "no account is known to be the brand's. Add --staff with the brand's accounts, and this "
    "shows how it pushes",
    "没有已知的品牌账号。用 --staff 提供品牌账号名单后，这里会显示品牌的推送情况",
)


def nothing(en: str, zh: str) -> Text:
    """The sentence of a finding with n = 0."""
    return Text(f"There is nothing to count here: {en}.", f"无可统计：{zh}。")
