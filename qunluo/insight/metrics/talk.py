"""Who talks, in what and when: I1 shares by class, I3 kinds, I6 hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.count_cubes import CLASS_CLOCK, CLASS_KIND
from qunluo.insight.metrics.phrases import at_once, many, nothing, percent
from qunluo.insight.metrics.study_cubes import SPEAKERS
from qunluo.insight.words import CLASS_WORDS, KIND_WORDS, WEEKDAYS
from qunluo.kit.text import Text

CLASSES = ("brand", "member", "bot", "system")
WRITERS = {
    "brand": Text("the brand", "品牌"),
    "member": Text("members", "成员"),
    "bot": Text("bots", "机器人"),
    "system": Text("the system", "系统"),
}
SHOWN_KINDS = 12
QUIET = 0.25  # of an even share of the day: the brand counts as silent below it
ALL_TIME = Text("all of the archive", "整个档案")
MESSAGES = Text("messages", "消息数")


def _notices(t: Any) -> Any:
    rows = t.events.filter(t.events.kind == "notice")
    return rows.agg(n=rows.count())


NOTICES = Cube("notices", _notices)


def _shares(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    people = cubes[SPEAKERS.name]
    counts = {c: _total(people.filter(pc.equal(people["class"], c))) for c in CLASSES}
    counts["system"] += int(cubes[NOTICES.name]["n"][0].as_py() or 0)
    n = sum(counts.values())
    if not n:
        return Finding({}, 0, nothing("no message", "没有消息"))
    doubted = people.filter(pc.and_(people["suspected"], pc.equal(people["class"], "member")))
    suspected = _total(doubted)
    shares = {c: counts[c] / n for c in CLASSES}
    value = {**shares, "messages": counts, "suspected": suspected / n}
    return Finding(
        value=value,
        n=n,
        sentence=_share_sentence(shares, suspected / n, doubted.num_rows),
        charts=(_share_chart(shares),),
        tables=(_suspects(doubted, facts),) if doubted.num_rows else (),
        notes=_share_notes(suspected, facts),
    )


def _total(rows: pa.Table) -> int:
    return int(pc.sum(rows["n"]).as_py() or 0)


def _share_sentence(shares: Mapping[str, float], suspected: float, accounts: int) -> Text:
    wrote = [c for c in CLASSES if shares[c]]
    said = Text(
        "Of all messages, "
        + at_once([f"{WRITERS[c].en} wrote {percent(shares[c])}" for c in wrote[:1]]
                  + [f"{WRITERS[c].en} {percent(shares[c])}" for c in wrote[1:]]),
        "全部消息中，" + "，".join(f"{CLASS_WORDS[c].zh}占 {percent(shares[c])}" for c in wrote),
    )  # fmt: skip
    if accounts:
        return Text(
            f"{said.en}; counting the {many(accounts, 'account')} above 20% of a group as the "
            f"brand's, the brand wrote {percent(shares['brand'] + suspected)}.",
            f"{said.zh}；若把在群内占比超过 20% 的 {accounts:,} 个账号算作品牌，"
            f"则品牌占 {percent(shares['brand'] + suspected)}。",
        )
    if shares["brand"]:
        return Text(f"{said.en}.", f"{said.zh}。")
    return Text(
        f"{said.en}; no account is known to be the brand's.",
        f"{said.zh}；没有已知的品牌账号。",
    )


def _share_notes(suspected: int, facts: Facts) -> tuple[Text, ...]:
    if not suspected or "staff" in facts.has:
        return ()
    told = Text(
        "Corporate status is unknown here; --staff or --corporate settles who is the brand.",
        "此处无法得知企业认证状态；用 --staff 或 --corporate 可明确哪些是品牌账号。",
    )
    return (told,)


def _share_chart(shares: Mapping[str, float]) -> Chart:
    there = _to_last(c for c in CLASSES if shares[c])
    top = max(there, key=lambda c: shares[c])
    word = CLASS_WORDS[top]
    return Chart(
        kind="share",
        title=Text(
            f"{percent(shares[top])} of the messages: {word.en}",
            f"{word.zh}占消息的 {percent(shares[top])}",
        ),
        x=tuple(CLASS_WORDS[c] for c in there),
        series=(
            Series(Text("share of messages", "消息占比"), tuple(shares[c] for c in there)),
        ),
        x_name=Text("share of messages", "消息占比"),
        y_name=Text("", ""),
        percent=True,
        reference=((0.7, Text("study: brand 70%", "研究：品牌 70%")),)
        if shares["brand"]
        else (),
    )


def _suspects(doubted: pa.Table, facts: Facts) -> Table:
    rows = sorted(doubted.to_pylist(), key=lambda r: (-r["n"], r["group_key"], r["sender_key"]))
    return Table(
        title=Text(
            "Above 20% of their group, status unknown", "群内占比超过 20%、身份未知的账号"
        ),
        columns=(Text("Account", "账号"), Text("Group", "群"), Text("Messages", "消息")),
        rows=tuple(
            (facts.person(r["sender_key"]), facts.group(r["group_key"]), r["n"])
            for r in rows[:50]
        ),
        more=max(len(rows) - 50, 0),
    )


def _kinds(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = cubes[CLASS_KIND.name].to_pylist()
    n = sum(r["n"] for r in rows)
    if not n:
        return Finding({}, 0, nothing("no message", "没有消息"))
    by_kind: dict[str, dict[str, int]] = {}
    for r in sorted(rows, key=lambda r: (r["kind"], r["class"])):
        by_kind.setdefault(r["kind"], dict.fromkeys(CLASSES, 0))[r["class"]] += r["n"]
    order = sorted(by_kind, key=lambda k: (-sum(by_kind[k].values()), k))
    value = {
        "kinds": len(order),
        "mix": {k: {"n": sum(by_kind[k].values()), **by_kind[k]} for k in order},
    }
    first = [(KIND_WORDS[k], sum(by_kind[k].values()) / n) for k in order[:3]]
    return Finding(
        value=value,
        n=n,
        sentence=_kind_sentence(first, len(order)),
        charts=(_kind_chart(by_kind, order),) if len(order) > 1 else (),
        tables=(_kind_table(by_kind, order, n),),
    )  # fmt: skip


def _kind_sentence(first: list[tuple[Text, float]], kinds: int) -> Text:
    if kinds == 1:
        return Text(f"Every message is {first[0][0].en}.", f"所有消息都是{first[0][0].zh}。")
    en = ", ".join(f"{w.en} ({percent(s)})" for w, s in first)
    zh = "、".join(f"{w.zh}（{percent(s)}）" for w, s in first)
    return Text(
        f"Of {kinds} kinds of messages the most frequent are {en}.",
        f"共 {kinds} 种消息；最多的是{zh}。",
    )


def _kind_chart(by_kind: Mapping[str, Mapping[str, int]], order: list[str]) -> Chart:
    shown = order[:SHOWN_KINDS]
    word = KIND_WORDS[order[0]]
    return Chart(
        kind="stacked",
        title=Text(f"Mostly {word.en}", f"以{word.zh}为主"),
        x=tuple(KIND_WORDS[k] for k in shown),
        series=tuple(
            Series(CLASS_WORDS[c], tuple(by_kind[k][c] for k in shown))
            for c in _to_last(c for c in CLASSES if any(k[c] for k in by_kind.values()))
        ),
        x_name=Text("kind", "类型"),
        y_name=MESSAGES,
    )


def _kind_table(by_kind: Mapping[str, Mapping[str, int]], order: list[str], n: int) -> Table:
    def row(kind: str) -> tuple[Any, ...]:
        total = sum(by_kind[kind].values())
        return (KIND_WORDS[kind], total, total / n, *(by_kind[kind][c] for c in CLASSES))

    return Table(
        title=Text("Messages by kind and class", "各类型消息"),
        columns=(
            Text("Kind", "类型"), Text("Messages", "消息"), Text("Share", "占比"),
            *(CLASS_WORDS[c] for c in CLASSES),
        ),
        rows=tuple(row(k) for k in order),
        percent=frozenset({2}),
    )  # fmt: skip


def _hours(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    week = _week(cubes[CLASS_CLOCK.name])
    people = week["brand"] + week["member"]
    every = people + week["bot"] + week["system"]
    n = int(every.sum())
    if not n:
        return Finding({}, 0, nothing("no message", "没有消息"))
    hours = {c: week[c].sum(axis=0) for c in CLASSES}
    overlap, silent = _overlap(hours["brand"], hours["member"])
    value = {
        "all": _clock_value(every),
        "people": _clock_value(people),
        **{c: _clock_value(week[c]) for c in CLASSES},
        "overlap": overlap,
        "silent_hours": silent,
    }
    return Finding(
        value=value,
        n=n,
        sentence=_hour_sentence(hours, every.sum(axis=0), overlap, silent),
        charts=_hour_charts(hours, every),
        notes=() if hours["brand"].sum() else (_NO_BRAND,),
        move=_greet(silent),
    )


_NO_BRAND = Text(
    "No account is known to be the brand's, so its hours can't be compared.",
    "没有已知的品牌账号，因此无法比较品牌与成员的时段。",
)


def _week(rows: pa.Table) -> dict[str, Any]:
    """Class → messages by weekday and hour, 7 × 24."""
    week = {c: np.zeros((7, 24), np.int64) for c in CLASSES}
    for r in rows.to_pylist():
        week[r["class"]][r["how"] // 24, r["how"] % 24] += r["n"]
    return week


def _clock_value(week: Any) -> dict[str, list[int]]:
    return {"hours": week.sum(axis=0).tolist(), "weekdays": week.sum(axis=1).tolist()}


def _overlap(brand: Any, member: Any) -> tuple[float | None, list[int]]:
    """Σ min(p, q) of the two hourly distributions, and hours where members talk alone."""
    if not brand.sum() or not member.sum():
        return None, []
    p, q = brand / brand.sum(), member / member.sum()
    alone = (q >= 1 / 24) & (p < QUIET / 24)
    return float(np.minimum(p, q).sum()), np.flatnonzero(alone).tolist()


def _hour_sentence(hours: Mapping[str, Any], every: Any, overlap: float | None,
                   silent: list[int]) -> Text:  # fmt: skip
    who, whose = (hours["member"], ("Members", "成员")) if hours["member"].sum() else (
        every, ("The groups", "群里"))  # fmt: skip
    peak = int(np.argmax(who))
    said = Text(
        f"{whose[0]} talk most at {peak}–{peak + 1} h.",
        f"{whose[1]}在 {peak}–{peak + 1} 点最活跃。",
    )
    if overlap is None:
        return said
    brand = int(np.argmax(hours["brand"]))
    gaps = ", ".join(f"{h} h" for h in silent)
    return Text(
        f"{said.en} The brand speaks most at {brand}–{brand + 1} h; the two curves overlap by "
        f"{percent(overlap)}."
        + (f" Members talk while the brand is silent at {gaps}." if gaps else ""),
        f"{said.zh}品牌在 {brand}–{brand + 1} 点最活跃；两条曲线重合 {percent(overlap)}。"
        + (
            f"成员在聊而品牌沉默的时段：{'、'.join(f'{h} 点' for h in silent)}。"
            if gaps
            else ""
        ),
    )


def _when_title(hours: Mapping[str, Any]) -> Text:
    brand, member = hours["brand"], hours["member"]
    if not (brand.sum() and member.sum()):
        return Text("When there is talk", "说话的时段")
    early = int(np.argmax(member)), int(np.argmax(brand))
    if early[0] == early[1]:
        return Text(
            f"Brand and members both peak at {early[0]} h",
            f"品牌与成员都在 {early[0]} 点最活跃",
        )
    return Text(
        f"Members peak at {early[0]} h, the brand at {early[1]} h",
        f"成员在 {early[0]} 点最活跃，品牌在 {early[1]} 点",
    )


def _to_last(present: Iterable[str]) -> Sequence[str]:
    """The classes up to the last that is there: each has its colour, in every chart."""
    found = set(present)
    return [c for at, c in enumerate(CLASSES) if found & set(CLASSES[at:])]


def _hour_charts(hours: Mapping[str, Any], every: Any) -> tuple[Chart, ...]:
    shown = _to_last(c for c in CLASSES if hours[c].sum())
    lines = Chart(
        kind="line",
        title=_when_title(hours),
        x=tuple(str(h) for h in range(24)),
        series=tuple(
            Series(CLASS_WORDS[c], tuple((hours[c] / max(hours[c].sum(), 1)).tolist()))
            for c in shown
        ),
        x_name=Text("hour of the day, local", "当地时刻（时）"),
        y_name=Text("share of the class's messages", "占该类消息的比例"),
        percent=True,
    )
    day, hour = (int(i) for i in np.unravel_index(int(every.argmax()), every.shape))
    heat = Chart(
        kind="heatmap",
        title=Text(
            f"The busiest hour of the week: {WEEKDAYS[day].en} {hour} h",
            f"一周最热闹的时段：{WEEKDAYS[day].zh} {hour} 点",
        ),
        x=tuple(str(h) for h in range(24)),
        series=tuple(Series(WEEKDAYS[d], tuple(every[d].tolist())) for d in range(7)),
        x_name=Text("hour of the day, local", "当地时刻（时）"),
        y_name=Text("weekday", "星期"),
    )
    return lines, heat


def _greet(silent: list[int]) -> Move | None:
    if not silent:
        return None
    return Move(
        Text(
            f"Have somebody of the brand in the groups at {', '.join(f'{h} h' for h in silent)}: "
            "members talk then and nobody answers.",
            f"安排品牌方在 {'、'.join(f'{h} 点' for h in silent)}在群：这些时段成员在聊，却无人回应。",
        ),
        0.45,
    )


METRICS: tuple[Metric, ...] = (
    Metric(
        id="I1",
        name=Text("Who talks", "谁在说话"),
        unit=Text("share of messages", "消息占比"),
        window=ALL_TIME,
        definition=Text(
            "Messages (actions included) and notices by class ÷ all of them. Class: the staff "
            "list for its dates, else the platform's own word, else a name that says “bot”, else "
            "rule I2 (more than 20% of the group's non-system messages and a corporate account). "
            "Everybody else is a member. Notices (no account wrote them) count as system.",
            "各类账号的消息（含动作）与通知 ÷ 全部。类别依次取：员工名单（按其日期）、平台自身的"
            "标注、名称含“机器人/bot”、规则 I2（占群内非系统消息超过 20% 且为企业账号）；其余为"
            "成员。通知（无账号发出）计入系统。",
        ),
        cubes=(SPEAKERS, NOTICES),
        summarise=_shares,
        reference=Text("brand 70%, members 27%, system 3%", "品牌 70%，成员 27%，系统 3%"),
    ),
    Metric(
        id="I3",
        name=Text("Kinds of messages", "消息类型"),
        unit=MESSAGES,
        window=ALL_TIME,
        definition=Text(
            "Messages by canonical kind and class; share = messages of the kind ÷ all messages. "
            "A kind the platform does not tell counts as other.",
            "按统一类型与账号类别计数；占比 = 该类型消息 ÷ 全部消息。平台未说明类型的计入其他。",
        ),
        cubes=(CLASS_KIND,),
        summarise=_kinds,
        reference=Text(
            "text ≈ image; mini-programs about ⅓ of either; channels video 1% of text; 31 kinds",
            "文字≈图片；小程序约为其三分之一；视频号为文字的 1%；共 31 种",
        ),
    ),
    Metric(
        id="I6",
        name=Text("Hours", "时段"),
        unit=MESSAGES,
        window=ALL_TIME,
        definition=Text(
            "Messages by local hour and weekday and by class. Overlap = Σ over the 24 hours of "
            "the smaller of the brand's and the members' shares. An hour where members talk "
            "alone: at least 1/24 of the members' messages, less than 1/96 of the brand's. "
            "`people` leaves out bots and system accounts.",
            "按当地时刻、星期与类别计数。重合度 = 24 小时中品牌与成员占比较小者之和。成员独自聊天的"
            "时段：该小时占成员消息至少 1/24，而占品牌消息不足 1/96。`people` 不含机器人与系统账号。",
        ),
        cubes=(CLASS_CLOCK,),
        summarise=_hours,
        reference=Text(
            "members peak in the morning; brand pushes at 9–11 and 14–18 h",
            "成员早晨最活跃；品牌集中在 9–11 点与 14–18 点推送",
        ),
    ),
)
