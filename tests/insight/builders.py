"""Reports from plain constructors: every kind of chart, and every kind of trouble.

report()            rich: all charts, hostile names, missing figures, huge and tiny numbers
report_of(figure(...))   just what a test is about
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qunluo.insight.figures import (
    Chart,
    Facts,
    Finding,
    GroupName,
    Metric,
    Missing,
    Move,
    Need,
    Person,
    Quote,
    Series,
    Table,
)
from qunluo.insight.report import Figure, LineCount, Report, Section, SourceCount, Totals
from qunluo.kit.text import Text

HOSTILE = "</script><img src=x onerror=alert(1)>"
LONG = "梅" * 100 + "W" * 100
RTL = "مريم \u202eevil"
EMOJI = "阿花🌸👩‍👩‍👧"
PLAIN = [
    "Alice Chen",
    "王小明",
    "Łukasz",
    "tom&jerry",
    "{a|rich}",
    '"quoted" \\ name',
    "O'Neil",
]
NAMES = [HOSTILE, LONG, RTL, EMOJI, *PLAIN]
GROUP_NAMES = [
    "<b>读书会</b> 一群",
    "Perl 6 " + "x" * 190,
    "妈妈团购群 🛒",
    "深夜食堂",
    "#ubuntu-cc",
]
SECRETS = [
    "我的电话是 13800001234 <script>alert(2)</script>",
    "meet me at the bridge \u2028 tonight & bring 5 €",
    "长" * 900,
]

ALICE = 11
SENDERS: dict[int, str] = {ALICE + 7 * i: name for i, name in enumerate(NAMES)}
GROUPS: dict[int, str] = {-5 + 3 * i: name for i, name in enumerate(GROUP_NAMES)}


def text(en: str, zh: str) -> Text:
    return Text(en, zh)


def unused(_: Mapping[str, Any], __: Facts) -> Finding:
    """Metrics of a built report are declared, not computed."""
    raise AssertionError("a report never computes")


def metric(id_: str = "share", **changes: Any) -> Metric:
    values: dict[str, Any] = {
        "id": id_,
        "name": Text(f"Name of {id_}", "指标名称"),
        "unit": Text("share", "占比"),
        "window": Text("whole archive", "全部时间"),
        "definition": Text(
            "Messages of a class divided by all messages, without system notices.",
            "某类账号的消息数除以全部消息数，不含系统通知。",
        ),
        "cubes": (),
        "summarise": unused,
    }
    return Metric(**(values | changes))


def finding(value: Any = 0.384, n: int = 1_234, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "value": value,
        "n": n,
        "sentence": Text("Members wrote 38 % of all messages.", "成员发出了 38% 的消息。"),
    }
    return Finding(**(values | changes))


def figure(
    id_: str = "share", found: Finding | Missing | None = None, **changes: Any
) -> Figure:
    return Figure(metric(id_, **changes), found or finding())


def missing(*needs: Need) -> Missing:
    return Missing(
        needs or ("orders",),
        Text("Repeat purchases need the orders.", "复购分析需要订单数据。"),
    )


def facts(**changes: Any) -> Facts:
    values: dict[str, Any] = {
        "zone": "Asia/Shanghai",
        "first_on": "2021-08-18",
        "last_on": "2023-03-20",
        "has": frozenset({"joins", "text"}),
        "group_names": dict(GROUPS),
        "sender_names": dict(SENDERS),
    }
    return Facts(**(values | changes))


def totals(**changes: Any) -> Totals:
    values: dict[str, Any] = {
        "messages": 510_000,
        "actions": 812,
        "speakers": 5_823,
        "groups": 67,
        "joins": 12_345,
        "leaves": 2_345,
        "rejects": 17,
        "first_at": "2021-08-18T08:00:03",
        "last_at": "2023-03-20T23:59:59",
        "system": 15_300,
        "events": 14_690,
        "lines": (
            LineCount(
                Text("WhatsApp", "WhatsApp"), 530_000, 500_000, 14_000, 12, 988, 15_000, 0
            ),
            LineCount(Text("WeChat (CSV)", "微信（CSV）"), 10_696, 10_000, 690, 5, 0, 0, 1),
        ),
    }
    return Totals(**(values | changes))


def report_of(*figures: Figure, **changes: Any) -> Report:
    """A report with one section of these figures."""
    values: dict[str, Any] = {
        "totals": totals(),
        "sources": (
            SourceCount(
                "Chat with Alice Chen.txt", Text("WhatsApp", "WhatsApp"), 500_000, 14_000, 12
            ),
        ),
        "facts": facts(),
        "sections": (Section("talk", Text("The talk", "群聊概况"), figures),),
        "version": "0.1.0",
    }
    return Report(**(values | changes))


def series(en: str, zh: str, *y: float | None, **changes: Any) -> Series:
    return Series(Text(en, zh), tuple(y), **changes)


def chart(kind: Any = "bar", x: Any = ("a", "b"), *rows: Series, **changes: Any) -> Chart:
    values: dict[str, Any] = {
        "title": Text("Members peak in the morning", "成员在上午最活跃"),
        "x_name": Text("hour", "钟点"),
        "y_name": Text("messages", "消息数"),
    }
    return Chart(
        kind=kind,
        x=tuple(x),
        series=rows or (series("all", "全部", 1, 2),),
        **(values | changes),
    )


def report(**changes: Any) -> Report:
    """Everything at once."""
    sections = (
        Section("talk", Text("The talk", "群聊概况"), _talk()),
        Section("life", Text("Life and spikes", "生命曲线与峰值"), _life()),
        Section("ties", Text("People and ties", "成员与关系"), _ties()),
        Section("retention", Text("Retention", "留存"), _retention()),
        Section("money", Text("Money", "交易"), (figure("repeat", missing("orders")),)),
        Section("trust", Text("Trust in these figures", "数据可信度"), _trust()),
    )
    values: dict[str, Any] = {"sections": sections, "sources": _many_sources()}
    return report_of(**(values | changes))


def _many_sources() -> tuple[SourceCount, ...]:
    whatsapp = Text("WhatsApp", "WhatsApp")
    return tuple(
        SourceCount(f"{name[:40]} {i}.txt", whatsapp, 7_000 + i, 200, i % 3)
        for i, name in enumerate(GROUP_NAMES * 3)
    )


def _talk() -> tuple[Figure, ...]:
    return (_class_share(), _kinds(), _hours(), _weeks())


def _class_share() -> Figure:
    parts = chart(
        "share",
        (Text("Brand", "品牌"), Text("Members", "成员"), Text("System", "系统")),
        series("share", "占比", 0.6981, 0.2719, 0.03),
        title=Text("The brand writes seven messages of ten", "十条消息里有七条来自品牌"),
        percent=True,
        reference=((0.7, Text("study: brand 70 %", "参考研究：品牌 70%")),),
    )
    found = finding(
        0.6981,
        510_000,
        interval=(0.6968, 0.6994),
        sentence=Text(
            "The brand wrote 70 % of all messages; members wrote 27 %.",
            "品牌发出了 70% 的消息，成员占 27%。",
        ),
        charts=(parts,),
        move=Move(
            Text(
                "Halve the pushes in the three loudest groups and watch whether members speak more.",
                "把推送最多的三个群减半，观察成员发言是否增加。",
            ),
            0.8,
        ),
    )
    study = Text("brand 70 %, members 27 %, system 3 %", "品牌 70%、成员 27%、系统 3%")
    return figure("I1", found, name=Text("Who talks", "谁在说话"), reference=study)


def _kinds() -> Figure:
    names = [
        "text",
        "image",
        "mini program",
        "sticker",
        "voice",
        "channels video",
        "link",
        "other",
    ]
    counts = [212_345, 205_000, 70_000, 12_000, 3_000, 2_100, 900, 1]
    kinds = chart(
        "bar",
        [Text(name, f"类型{'甲乙丙丁戊己庚辛'[i]}很长的名字") for i, name in enumerate(names)],
        series("messages", "消息数", *counts),
        title=Text("Text and images lead", "文字和图片最多"),
        x_name=Text("kind", "类型"),
        reference=((206_000, Text("study: image ≈ text", "参考研究：图片与文字相当")),),
    )
    by_class = chart(
        "stacked",
        ["2022-01", "2022-02", "2022-03", "2022-04"],
        series("brand", "品牌", 0.7, 0.6, 0.65, 0.5),
        series("members", "成员", 0.25, 0.35, 0.3, 0.45),
        series("system", "系统", 0.05, 0.05, 0.05, 0.05),
        title=Text("Members gain ground", "成员占比上升"),
        percent=True,
    )
    found = finding(
        {"text": 0.42}, 505_346, charts=(kinds, by_class), tables=(_people(60, more=5_763),)
    )
    return figure("I3", found, name=Text("Kinds of messages", "消息类型"))


def _hours() -> Figure:
    days = [
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    ]
    rows = [
        series(en, zh, *(round(900 * math.exp(-((h - 10 - d) ** 2) / 18)) for h in range(24)))
        for d, (en, zh) in enumerate(zip(*days, strict=True))
    ]
    heat = chart(
        "heatmap", [str(h) for h in range(24)], *rows,
        title=Text("Members peak on weekday mornings", "成员在工作日上午最活跃"),
        x_name=Text("hour", "钟点"), y_name=Text("weekday", "星期"),
    )  # fmt: skip
    curves = chart(
        "line",
        [str(h) for h in range(24)],
        series(
            "brand", "品牌", *(0.01 + 0.1 * math.exp(-((h - 15) ** 2) / 9) for h in range(24))
        ),
        series(
            "members",
            "成员",
            *(0.02 + 0.08 * math.exp(-((h - 9) ** 2) / 20) for h in range(24)),
        ),
        title=Text("The brand speaks when members have gone", "成员散去时品牌才开口"),
        percent=True,
    )
    return figure("hours", finding({"overlap": 0.61}, 480_000, charts=(heat, curves)))


def _weeks() -> Figure:
    weeks = [f"2022-{1 + i // 4:02d}-{1 + 7 * (i % 4):02d}" for i in range(44)]
    y = [300 + 120 * math.sin(i / 5) + (900 if i == 30 else 0) for i in range(44)]
    trend = chart(
        "line", weeks,
        series(
            "active members", "活跃成员", *y,
            low=tuple(v - 40 for v in y), high=tuple(v + 40 for v in y),
            n=tuple(3 if i < 4 else 300 for i in range(44)),
        ),
        title=Text("One spike in August, then calm", "八月有一次峰值，之后平稳"),
        x_name=Text("week", "周"), y_name=Text("members", "人"),
        reference=((420.0, Text("study", "参考研究")),),
    )  # fmt: skip
    found = finding(
        -0.06, 44,
        sentence=Text("Activity fell by 6 % over the last eight weeks.", "最近八周活跃度下降 6%。"),
        charts=(trend,),
        move=Move(
            Text(
                "Greet the silent: 212 people spoke last month and not since.",
                "问候沉默成员：有 212 人上月发言、此后再无音讯。",
            ),
            0.55,
        ),
    )  # fmt: skip
    return figure("calendar", found, name=Text("Activity over time", "活跃趋势"))


def _life() -> tuple[Figure, ...]:
    empty = chart(
        "line", (), Series(Text("nothing", "无"), ()), title=Text("No spikes", "没有峰值")
    )
    tiny = chart(
        "bar", ["2021-08", "2021-09"], series("groups", "群数", 1, 2),
        title=Text("Two groups only", "只有两个群"),
    )  # fmt: skip
    huge = chart(
        "bar", [str(i) for i in range(5)],
        series("messages", "消息数", 12_345_678_901, 9e9, 5e8, 7e6, 12_000),
        title=Text("Huge numbers stay readable", "大数也读得懂"), log_y=True,
    )  # fmt: skip
    return (
        figure("spikes", finding(None, 0, charts=(empty,), tables=(_empty_table(),))),
        figure(
            "lifespans",
            finding(1.5, 2, charts=(tiny,), unit=None)
            if False
            else finding(1.5, 2, charts=(tiny,)),
        ),
        figure(
            "huge",
            finding(12_345_678_901, 12_345_678_901, charts=(huge,)),
            unit=Text("messages", "条"),
        ),
        figure("drivers", missing("staff", "text")),
    )


def _empty_table() -> Table:
    return Table(Text("Spikes", "峰值"), (Text("week", "周"),), ())


def _people(count: int, more: int = 0) -> Table:
    keys = list(SENDERS)
    rows = tuple(
        (
            Person(keys[i % len(keys)], SENDERS[keys[i % len(keys)]]),
            GroupName(-5 + 3 * (i % 5), GROUP_NAMES[i % 5]),
            (count - i) ** 3,
            0.5 / (i + 1),
            Quote(SECRETS[i % 3], f"2022-01-{1 + i % 28:02d}T09:{i % 60:02d}:00"),
        )
        for i in range(count)
    )
    columns = (
        Text("member", "成员"), Text("group", "群"), Text("messages", "消息数"),
        Text("share", "占比"), Text("last said", "最近一句"),
    )  # fmt: skip
    return Table(Text("Top members", "最活跃的成员"), columns, rows, frozenset({3}), more)


def _ties() -> tuple[Figure, ...]:
    keys = list(SENDERS)
    nodes = tuple(
        (
            Person(keys[i], SENDERS[keys[i]]) if i < len(keys) else f"node {i}",
            40.0 / (i + 1),
            i % 7,
        )
        for i in range(40)
    )
    links = tuple((i, (i * 7 + 3) % 40, 1.0 + i % 5) for i in range(40)) + tuple(
        (i, i + 7, 3.0) for i in range(33)
    )
    net = chart("graph", (), nodes=nodes, links=links, title=Text("Seven circles", "七个圈子"))
    cloud = chart(
        "scatter", [0.5 * i for i in range(67)],
        series("groups", "群", *(0.5 / (1 + 0.1 * i) for i in range(67)), n=tuple(range(67))),
        title=Text("More pushes, less talk?", "推送越多，互动越少？"), percent=True,
        x_name=Text("brand messages a day", "品牌每日消息数"), y_name=Text("activity rate", "活跃率"),
    )  # fmt: skip
    groups = chart(
        "bar", [GroupName(k, n) for k, n in GROUPS.items()],
        series("rate", "活跃率", 0.45, 0.32, 0.2, 0.1, 0.05,
               low=(0.4, 0.3, 0.15, 0.02, 0.0), high=(0.5, 0.34, 0.25, 0.18, 0.2), n=(90, 80, 60, 8, 4)),
        percent=True, title=Text("Two groups carry the rest", "两个群撑起全局"),
        reference=((0.2, Text("study: 47 of 67 above 20 %", "参考研究：67 个群中 47 个高于 20%")),),
    )  # fmt: skip
    rate = finding(0.312, 5_823, interval=(0.29, 0.334), charts=(groups, cloud), tables=(_people(5),),
                   sentence=Text("31 % of the members spoke.", "31% 的成员发过言。"))  # fmt: skip
    study = Text("47 of 67 groups above 20 %", "67 个群中有 47 个高于 20%")
    return (figure("I7", rate, reference=study, name=Text("Activity", "活跃率")),
            figure("circles", finding({"communities": 7}, 40, charts=(net,))))  # fmt: skip


def _retention() -> tuple[Figure, ...]:
    months = [f"2022-{m:02d}" for m in range(1, 9)]
    rows = [
        series(m, m, *((1 / (1 + k) if k + i < 8 else None) for k in range(8)))
        for i, m in enumerate(months)
    ]
    cohorts = chart(
        "heatmap", [str(k) for k in range(8)], *rows, percent=True,
        title=Text("Half are gone after a month", "一个月后流失一半"),
        x_name=Text("months since joining", "入群后月数"), y_name=Text("cohort", "批次"),
    )  # fmt: skip
    s = [math.exp(-t / 60) for t in range(0, 365, 7)]
    curve = chart(
        "step", [float(t) for t in range(0, 365, 7)],
        series("members", "成员", *s, low=tuple(v * 0.9 for v in s), high=tuple(min(1, v * 1.1) for v in s)),
        series("groups", "群", *(v**0.5 for v in s)),
        title=Text("Half of the members fall silent within 42 days", "一半成员在 42 天内沉默"), percent=True,
        x_name=Text("days since the first message", "距首次发言天数"), y_name=Text("still active", "仍活跃"),
    )  # fmt: skip
    note = Text(
        "Members who still speak are censored, not lost.",
        "仍在发言的成员按删失处理，不计为流失。",
    )
    return (figure("retention", finding({"month_1": 0.5}, 900, charts=(cohorts,))),
            figure("survival", finding(42, 900, interval=(38, 47), charts=(curve,), notes=(note,)),
                   unit=Text("days", "天")))  # fmt: skip


def _trust() -> tuple[Figure, ...]:
    found = finding({"rejects": 17}, 540_696, tables=(_people(12),))
    grouped = chart(
        "bar", ["2022-Q1", "2022-Q2", "2022-Q3"],
        series("precision", "精确率", 0.8, 0.7, 0.9, low=(0.7, 0.6, 0.85), high=(0.9, 0.8, 0.95)),
        series("recall", "召回率", 0.6, 0.65, 0.5, low=(0.5, 0.6, 0.4), high=(0.7, 0.7, 0.6)),
        percent=True,
    )  # fmt: skip
    return (figure("lines", found), figure("replies", finding(0.75, 400, charts=(grouped,))))
