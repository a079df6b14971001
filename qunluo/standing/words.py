"""The names of standings and their values, as people say them."""

from __future__ import annotations

from qunluo.kit.text import Text

NAMES: dict[str, Text] = {
    "lifecycle": Text("Lifecycle", "生命周期"),
    "phase": Text("Phase", "运营阶段"),
    "trust": Text("Trust", "信任阶段"),
    "circle": Text("Circle", "圈层"),
    "rfm": Text("RFM", "RFM"),
    "level": Text("Intimacy", "亲密度"),
    "product": Text("Product value", "产品价值"),
    "bringing": Text("Bringing value", "拉新价值"),
    "content": Text("Content value", "内容价值"),
    "revenue": Text("Revenue value", "营收价值"),
    "churn": Text("Churn risk", "流失风险"),
    "flags": Text("Risk flags", "风险提示"),
}
LIFECYCLE: dict[str, Text] = {
    "new": Text("new", "新人"),
    "growing": Text("growing", "成长"),
    "mature": Text("mature", "成熟"),
    "silent": Text("silent", "沉默"),
    "lost": Text("lost", "流失"),
}
PHASE: dict[str, Text] = {
    "ripen": Text("ripen", "养熟"),
    "extend": Text("extend", "扩展"),
    "win_back": Text("win back", "召回"),
}
TRUST: tuple[Text, ...] = (
    Text("unaware", "未知"),
    Text("curious", "好奇"),
    Text("acquainted", "认识"),
    Text("informed", "了解"),
    Text("familiar", "熟悉"),
    Text("customer", "客户"),
    Text("advocate", "拥护者"),
)
CIRCLE: dict[str, Text] = {
    "core": Text("core", "核心圈"),
    "influence": Text("influence", "影响圈"),
    "periphery": Text("periphery", "外围圈"),
}
FLAGS: dict[str, Text] = {
    "refunded": Text("money was given back", "有退款"),
    "left": Text("left a group", "退过群"),
    "removed": Text("was removed from a group", "被移出过群"),
}
CORRECTABLE = ("lifecycle", "trust", "circle", "level")
"""What a person may set by hand; the phase follows the lifecycle."""


def name_value(name: str, value: object) -> Text:
    """A value as it is shown on a chip."""
    words = {"lifecycle": LIFECYCLE, "phase": PHASE, "circle": CIRCLE, "flags": FLAGS}
    if name == "trust":
        return TRUST[int(str(value))]
    return words.get(name, {}).get(str(value)) or Text(str(value), str(value))
