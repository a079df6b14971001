"""What a member gives, how close they are, and how likely they go. Pure."""

from __future__ import annotations

from qunluo.kit.text import Text
from qunluo.standing.facts import ITEMS, Facts, as_date
from qunluo.standing.thresholds import Thresholds
from qunluo.standing.words import FLAGS

USUAL_GAP = 7  # days, of somebody who was active on one day only
SOONEST, GAPS = 7, 3  # risk grows over three of their usual gaps, at least over a week
IDLE_PART, FLAG_PART, FADING_PART = 60, 20, 20
FADING_DAYS, RHYTHM_DAYS = 14, 90
_REPLIED = ("reply", "mention")


def judge_intimacy(facts: Facts, at: Thresholds) -> tuple[int, int, Text]:
    """Points, the level that they reach (0: none), and what they are made of."""
    said = sum(min(n, at.said_a_day) for n in facts.days.get("said", {}).values() if n > 0)
    orders = facts.orders
    shown = facts.count(*ITEMS)
    parts = {
        "paid": orders * at.points_paid,
        "said": said * at.points_said,
        "reacted": max(0, facts.count("reacted")) * at.points_reacted,
        "items": facts.count("read") * at.points_read
        + facts.count("watched") * at.points_watched
        + facts.count("attended") * at.points_attended,
        "checked_in": facts.count("checked_in") * at.points_checked_in,
    }
    points = sum(parts.values())
    level = sum(points >= step.points for step in at.levels)
    name = at.levels[level - 1].name if level else Text("no level yet", "暂无等级")
    talk = parts["said"] + parts["reacted"]
    return (
        points,
        level,
        Text(
            f"{points} points ({name.en}): {parts['paid']} for {orders} orders, {talk} for talk, "
            f"{parts['items']} for {shown} items, {parts['checked_in']} for check-ins.",
            f"{points} 分（{name.zh}）：{orders} 笔订单 {parts['paid']} 分，互动 {talk} 分，"
            f"{shown} 次内容 {parts['items']} 分，打卡 {parts['checked_in']} 分。",
        ),
    )


def saturate(points: float, half: float) -> int:
    """0 to 100; 50 at `half`, and every `half` more halves what is missing."""
    return round(100 * (1 - 2 ** (-max(0.0, points) / half)))


def judge_values(facts: Facts, at: Thresholds, today: int) -> dict[str, tuple[int, Text]]:
    """The four core values, each 0 to 100."""
    return {
        "product": _product(facts, at),
        "bringing": _bringing(facts, at),
        "content": _content(facts, at, today),
        "revenue": _revenue(facts, at),
    }


def _product(facts: Facts, at: Thresholds) -> tuple[int, Text]:
    wishes, answers, told = (
        facts.count(kind) for kind in ("wish_adopted", "answer_accepted", "testified")
    )
    return saturate(5 * wishes + 3 * answers + 2 * told, at.half_product), Text(
        f"{wishes} adopted wishes, {answers} accepted answers, {told} testimonies.",
        f"被采纳的愿望 {wishes} 个、被认可的回答 {answers} 个、见证 {told} 条。",
    )


def _bringing(facts: Facts, at: Thresholds) -> tuple[int, Text]:
    stayed = len(facts.stayed)
    return saturate(facts.brought + 4 * stayed, at.half_bringing), Text(
        f"Brought {facts.brought}, {stayed} of them stayed {at.stay_days} days.",
        f"带来 {facts.brought} 人，其中 {stayed} 人留存满 {at.stay_days} 天。",
    )


def _content(facts: Facts, at: Thresholds, today: int) -> tuple[int, Text]:
    since = today - at.content_days + 1
    rows = facts.days.get("said", {}).items()
    said = sum(min(n, at.said_a_day) for day, n in rows if day >= since and n > 0)
    liked = max(0, facts.count_since(since, "reacted_to"))
    answered = sum(
        c.n for c in facts.contacts if not c.outward and c.day >= since and c.kind in _REPLIED
    )
    return saturate(0.2 * said + liked + 2 * answered, at.half_content), Text(
        f"In {at.content_days} days: {said} messages, {answered} answers and {liked} reactions "
        "to them.",
        f"近 {at.content_days} 天：{said} 条消息，收到 {answered} 次回应和 {liked} 个表情。",
    )


def _revenue(facts: Facts, at: Thresholds) -> tuple[int, Text]:
    money = f"{facts.spent / 100:,.2f}"
    return saturate(facts.spent, at.half_revenue_minor), Text(
        f"Spent {money} in {facts.orders} orders.", f"{facts.orders} 笔订单共 {money}。"
    )


def judge_flags(facts: Facts, at: Thresholds, today: int) -> tuple[list[str], Text]:
    """Risks that stand beside the ladder: they take no rung away."""
    since = today - at.flag_days + 1
    found = [
        flag for flag, kind in (("refunded", "refunded"), ("left", "left"), ("removed", "removed"))
        if (facts.last(kind) or _last_refund(facts, kind) or 0) >= since
    ]  # fmt: skip
    if not found:
        return [], Text(f"Nothing in {at.flag_days} days.", f"近 {at.flag_days} 天内无风险。")
    named = [(FLAGS[f], as_date(facts.last(f) or _last_refund(facts, f))) for f in found]
    return found, Text(
        "; ".join(f"{text.en} ({day})" for text, day in named).capitalize() + ".",
        "；".join(f"{text.zh}（{day}）" for text, day in named) + "。",
    )


def _last_refund(facts: Facts, kind: str) -> int | None:
    """A part of the money back is a refund too, though the order stands."""
    if kind != "refunded":
        return None
    return max((day for day, n in facts.amounts.get(kind, {}).items() if n > 0), default=None)


def judge_churn(
    facts: Facts, at: Thresholds, today: int, lifecycle: str, flags: list[str]
) -> tuple[int, Text]:
    """Risk that the member goes, 0 to 100: how long they are away by their own rhythm, whether
    they fade, and the flags."""
    if lifecycle == "lost":
        return 100, Text("Gone already.", "已经流失。")
    last = facts.active_on
    idle = today - (facts.began_on if last is None else last)
    gap = usual_gap(facts, today - idle)
    patience = min(max(GAPS * gap, SOONEST), at.silent_days)
    away = min(IDLE_PART, IDLE_PART * max(0, idle) / patience)
    fading = FADING_PART if _fades(facts, today) else 0
    flagged = FLAG_PART * bool(flags)
    risk = min(100, round(away) + fading + flagged)
    return risk, _risk_words(idle, gap, bool(fading), bool(flagged))


def usual_gap(facts: Facts, last: int) -> float:
    """Days from one active day to the next, over the three months before the last one."""
    days = facts.active_days(last - RHYTHM_DAYS)
    return (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else float(USUAL_GAP)


def _fades(facts: Facts, today: int) -> bool:
    """Active in the last two weeks on half as many days or fewer than usual in the months before."""
    days = facts.active_days(today - RHYTHM_DAYS + 1)
    late = sum(day > today - FADING_DAYS for day in days)
    early = len(days) - late
    usual = early * FADING_DAYS / (RHYTHM_DAYS - FADING_DAYS)
    return early >= 2 and 2 * late <= usual


def _risk_words(idle: int, gap: float, fading: bool, flagged: bool) -> Text:
    en = [f"away for {idle} days, usually {gap:.0f}"]
    zh = [f"已 {idle} 天未出现，平时间隔约 {gap:.0f} 天"]
    if fading:
        en, zh = [*en, "active on half as many days as before"], [*zh, "活跃天数减半"]
    if flagged:
        en, zh = [*en, "there are risk flags"], [*zh, "有风险提示"]
    return Text("; ".join(en).capitalize() + ".", "；".join(zh) + "。")
