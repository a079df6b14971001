"""Needs and complaints found in talk: counted by family, clustered by shared words, quoted."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.figures import (
    Chart,
    Cube,
    Facts,
    Finding,
    Metric,
    Move,
    Quote,
    Series,
    Table,
)
from qunluo.insight.metrics.member_cubes import month_name, month_number
from qunluo.insight.metrics.phrases import many, nothing, percent
from qunluo.insight.metrics.study_cubes import column
from qunluo.kit.text import Text

QUOTE_CHARS = 160
QUOTES = 3  # a family
CLUSTERS = 12
CLUSTER_PEOPLE = 3  # fewer saying the same is no cluster
READ = 3_000  # quotations that clusters are made from
SHOWN_MONTHS = 36


@dataclass(frozen=True)
class Family:
    """One kind of need or complaint and the words (RE2, both languages) that show it."""

    name: Text
    words: str
    complaint: bool


FAMILIES: dict[str, Family] = {
    "refund": Family(
        Text("returns and refunds", "退换货与退款"),
        "退货|退款|换货|退钱|投诉|维权|赔偿|(?i:refund|money back|return "
        "(it|this|them)|complain)",
        True,
    ),
    "quality": Family(
        Text("quality and faults", "质量与故障"),
        "质量差|质量问题|质量不|太差|坏了|破损|漏了|过敏|难吃|难用|假货|不好用|失望|掉色|用"
        "不了|打不开"
        "|(?i:broken|doesn'?t work|not working|defective|poor quality|disappoint|bug\\b|crash)",
        True,
    ),
    "delivery": Family(
        Text("delivery", "物流与发货"),
        "没发货|还没到|没收到|不发货|物流|快递|什么时候发|几天到|催一下|发货"
        "|(?i:not arrived|still waiting|when will (it|my)|shipping|delivery|tracking number)",
        True,
    ),
    "service": Family(
        Text("service and answers", "客服与回复"),
        "没人理|没人回|客服|不回复|态度|敷衍"
        "|(?i:no ?(one|body) (answers|replies|responds)|rude|customer service|no reply)",
        True,
    ),
    "price": Family(
        Text("price and discounts", "价格与优惠"),
        "太贵|好贵|有点贵|便宜点|优惠|打折|降价|涨价|券|多少钱|价格|性价比"
        "|(?i:too expensive|pric(e|ey|ing)|discount|coupon|cheaper|how much)",
        False,
    ),
    "stock": Family(
        Text("availability", "缺货与补货"),
        "没货|缺货|断货|补货|有货吗|抢不到|卖完|售罄|什么时候上"
        "|(?i:out of stock|sold out|restock|in stock|available again)",
        False,
    ),
    "wish": Family(
        Text("wishes", "期望与建议"),
        "希望|建议|能不能出|可不可以出|要是有|想要|求出|求一个|什么时候出|有没有.{0,8}(版|"
        "款|装|口味|颜色)"
        "|(?i:i wish|wish (there|you|it)|would be (nice|great)|feature request|please "
        "(add|make)"
        "|could you add|i'?d love)",
        False,
    ),
    "howto": Family(
        Text("how to use", "使用方法"),
        "怎么用|如何用|怎么弄|怎么设置|怎么操作|怎么吃|用法|教程|说明书|不会用"
        "|(?i:how (do|to|can) (i |you |we "
        ")?(use|set|install|make|get|fix|run)|tutorial|manual)",
        False,
    ),
}
"""Looked at in this order: a message counts for the first family that fits."""


def find_family(text: str) -> str | None:
    """The family that one message counts for, by the rule and the engine of the metric."""
    try:
        said = pa.scalar(text, pa.string())
    except UnicodeEncodeError:  # half a sign, which no store keeps
        return None
    for name, family in FAMILIES.items():
        if pc.match_substring_regex(said, pattern=family.words).as_py():
            return name
    return None


def _wishes(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    rows = t.classed
    said = rows.filter(
        (rows["class"] == "member")
        & rows.text.notnull()
        & rows.text.re_search("|".join(family.words for family in FAMILIES.values()))
    )
    first = [(said.text.re_search(f.words), name) for name, f in FAMILIES.items()]
    said = said.mutate(
        family=ibis.cases(*first, else_="wish"), month=said.local_at.date().truncate("M")
    )
    return said.group_by(["group_key", "sender_key", "month", "family"]).agg(
        n=lambda s: s.count(),
        said_at=lambda s: s.local_at.max(),
        said=lambda s: s.text.substr(0, QUOTE_CHARS).argmax(
            ibis.struct({"a": s.local_at, "b": s.seq})
        ),
    )


WISHES = Cube("wishes", _wishes)
"""group_key, sender_key, month, family, n, said_at and said (the latest such message)."""

_STOP_WORDS = (
    "the and for you that this with have are was not but can does how what when there would "
    "will your they from just any get got has had its it's i'm don't been were them than then "
    "which who why all one out too very some more about into use using please could should "
    "anyone know need want like make still here also i've that's"
)
_WORD = re.compile(r"[a-z][a-z'’-]{2,}|[\u4e00-\u9fff]+")
_ZH_STOP_WORDS = (
    "请问 问一 一下 什么 怎么 有没 没有 是不 不是 我的 你们 我们 他们 这个 那个 可以 能不 "
    "不能 一个 时候 "
    "么时 就是 还是 还没 的时 了吗 的吗 吗有 有人 大家 谢谢 真的 觉得 这么 么样 样的 希望 "
    "望能 能出 建议 "
    "多少 少钱 现在 知道 今天 已经 自己 的话 如果 但是 因为 所以 下单 会不 不会 要不 想要 "
    "为什 不知"
)
_STOP, _ZH_STOP = frozenset(_STOP_WORDS.split()), frozenset(_ZH_STOP_WORDS.split())


def terms(text: str) -> set[str]:
    """Words of a message that can tell what it is about: English words, Chinese pairs."""
    found: set[str] = set()
    for run in _WORD.findall(text.lower()):
        if run[0] < "\u4e00":
            found |= {run} - _STOP
        else:
            found |= {run[i : i + 2] for i in range(len(run) - 1)} - _ZH_STOP
    return found


@dataclass(frozen=True)
class Cluster:
    """Messages that share two key terms: who said them, and which rows they are."""

    words: tuple[str, ...]
    rows: tuple[int, ...]
    people: int


def clusters(said: list[tuple[int, str]]) -> list[Cluster]:
    """Groups of (sender, text) rows that share a pair of terms; every row is in at most one.

    Greedy: the pair that most different people used comes first and takes its rows with it
    (ties by the words); a pair needs at least CLUSTER_PEOPLE people.
    """
    by_pair = {pair: rows for pair, rows in _pairs(said).items() if len(rows) >= CLUSTER_PEOPLE}
    most = {pair: _people(said, rows) for pair, rows in by_pair.items()}
    taken: set[int] = set()
    found: list[Cluster] = []
    for pair in sorted(by_pair, key=lambda p: (-most[p], p)):
        if most[pair] < CLUSTER_PEOPLE:
            break
        rows = [row for row in by_pair[pair] if row not in taken]
        people = _people(said, rows)
        if people >= CLUSTER_PEOPLE:
            taken.update(rows)
            found.append(Cluster(pair, tuple(rows), people))
    return sorted(found, key=lambda c: (-c.people, -len(c.rows), c.words))[:CLUSTERS]


def _people(said: list[tuple[int, str]], rows: Iterable[int]) -> int:
    return len({said[row][0] for row in rows})


def _pairs(said: list[tuple[int, str]]) -> dict[tuple[str, ...], list[int]]:
    """Rows by pair of terms, of terms that enough people used; a message's eight commonest."""
    per_row = [terms(text) for _, text in said]
    users: dict[str, set[int]] = defaultdict(set)
    for (sender, _), words in zip(said, per_row, strict=True):
        for word in words:
            users[word].add(sender)
    common = {w: (-len(u), w) for w, u in users.items() if len(u) >= CLUSTER_PEOPLE}
    by_pair: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, words in enumerate(per_row):
        commonest = sorted(common[w] for w in words if w in common)[:8]
        for pair in combinations(sorted(w for _, w in commonest), 2):
            by_pair[pair].append(row)
    return by_pair


def _found(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = cubes[WISHES.name]
    if not rows.num_rows:
        return Finding(
            {}, 0, nothing("no member voiced a need or a complaint", "没有成员表达需求或抱怨")
        )
    counts = family_counts(rows)
    groups = _clusters_of(rows)
    return Finding(
        value={
            "families": {
                name: {"messages": n, "members": m} for name, (n, m) in counts.items()
            },
            "months": _months(rows),
            "clusters": [{"messages": len(c.rows), "members": c.people} for c, _ in groups],
        },
        n=int(column(rows, "n").sum()),
        sentence=_sentence(counts),
        charts=(_chart(counts), _month_chart(rows)),
        tables=(_quotes(rows, counts), _cluster_table(groups)),
        notes=(_RULE_NOTE,),
        move=_move(counts, facts),
    )


def family_counts(rows: pa.Table) -> dict[str, tuple[int, int]]:
    """Messages and distinct members of each family, the most members first."""
    found = rows.group_by("family").aggregate([("n", "sum"), ("sender_key", "count_distinct")])
    counts = [
        (r["family"], int(r["n_sum"]), int(r["sender_key_count_distinct"]))
        for r in found.to_pylist()
    ]
    counts.sort(key=lambda c: (-c[2], -c[1], c[0]))
    return {name: (n, members) for name, n, members in counts}


def _months(rows: pa.Table) -> dict[str, dict[str, int]]:
    months = month_number(column(rows, "month"))
    families, n = rows["family"].to_pylist(), column(rows, "n").tolist()
    totals: Counter[tuple[int, str]] = Counter()
    for month, family, count in zip(months.tolist(), families, n, strict=True):
        totals[month, family] += count
    told: dict[str, dict[str, int]] = {}
    for (month, family), count in sorted(totals.items()):
        told.setdefault(month_name(month), {})[family] = count
    return told


def _clusters_of(rows: pa.Table) -> list[tuple[Cluster, Quote]]:
    """Clusters of the latest quotations, each with its latest message."""
    latest = rows.sort_by(
        [("said_at", "descending"), ("sender_key", "ascending"), ("family", "ascending")]
    ).slice(0, READ)
    said = list(zip(latest["sender_key"].to_pylist(), latest["said"].to_pylist(), strict=True))
    at = latest["said_at"].to_pylist()
    return [(c, _quote(said[c.rows[0]][1], at[c.rows[0]])) for c in clusters(said)]


def _quote(text: str, at: Any) -> Quote:
    return Quote(" ".join(text.split()), at.isoformat(sep=" ", timespec="minutes"))


def _sentence(counts: Mapping[str, tuple[int, int]]) -> Text:
    complaints = sum(n for name, (n, _) in counts.items() if FAMILIES[name].complaint)
    total = sum(n for n, _ in counts.values())
    first = next(iter(counts))
    messages, members = counts[first]
    return Text(
        f"Members voiced {many(total, 'need or complaint', 'needs and complaints')}, "
        f"{percent(complaints / total)} of them complaints; most people speak of "
        f"{FAMILIES[first].name.en} ({many(members, 'member')}, {many(messages, 'message')}).",
        f"成员共表达 {total:,} 次需求或抱怨，其中 {percent(complaints / total)} 是抱怨；"
        f"提到最多的是{FAMILIES[first].name.zh}（{members:,} 人，{messages:,} 条）。",
    )


def _chart(counts: Mapping[str, tuple[int, int]]) -> Chart:
    first = next(iter(counts))
    return Chart(
        kind="bar",
        title=Text(
            f"Most members speak of {FAMILIES[first].name.en}",
            f"提到最多的是{FAMILIES[first].name.zh}",
        ),
        x=tuple(FAMILIES[name].name for name in counts),
        series=(
            Series(Text("members", "成员"), tuple(float(m) for _, m in counts.values())),
            Series(Text("messages", "消息"), tuple(float(n) for n, _ in counts.values())),
        ),
        x_name=Text("topic", "主题"),
        y_name=Text("count", "数量"),
    )


def _month_chart(rows: pa.Table) -> Chart:
    months = _months(rows)
    shown = list(months)[-SHOWN_MONTHS:]
    complaints = [
        sum(n for name, n in months[m].items() if FAMILIES[name].complaint) for m in shown
    ]
    needs = [sum(months[m].values()) - c for m, c in zip(shown, complaints, strict=True)]
    worst = shown[int(np.argmax(complaints))]
    return Chart(
        kind="stacked",
        title=Text(f"Most complaints came in {worst}", f"抱怨最多的月份是 {worst}"),
        x=tuple(shown),
        series=(
            Series(Text("complaints", "抱怨"), tuple(float(c) for c in complaints)),
            Series(Text("needs", "需求"), tuple(float(n) for n in needs)),
        ),
        x_name=Text("month", "月份"),
        y_name=Text("messages", "消息数"),
    )


def _quotes(rows: pa.Table, counts: Mapping[str, tuple[int, int]]) -> Table:
    """The latest quotations of each family, by different members."""
    found: list[tuple[Any, ...]] = []
    for name, (n, members) in counts.items():
        mine = rows.filter(pc.equal(rows["family"], name)).sort_by(
            [("said_at", "descending"), ("sender_key", "ascending")]
        )
        shown: dict[int, Quote] = {}
        for row in mine.slice(0, 50).to_pylist():
            if len(shown) < QUOTES:
                shown.setdefault(row["sender_key"], _quote(row["said"], row["said_at"]))
        found += [(FAMILIES[name].name, members, n, quote) for quote in shown.values()]
    return Table(
        title=Text("What members said", "成员怎么说"),
        columns=(
            Text("Topic", "主题"),
            Text("Members", "成员"),
            Text("Messages", "消息数"),
            Text("For example", "示例"),
        ),
        rows=tuple(found),
    )


def _cluster_table(groups: list[tuple[Cluster, Quote]]) -> Table:
    return Table(
        title=Text("Said by several in like words", "多人用相似的话提到"),
        columns=(
            Text("Members", "成员"),
            Text("Messages", "消息数"),
            Text("For example", "示例"),
        ),
        rows=tuple((c.people, len(c.rows), quote) for c, quote in groups),
    )


_RULE_NOTE = Text(
    "Found by words, not understood: some counts will be wrong in single cases. Read the "
    "quotations before acting.",
    "按关键词识别，并非理解语义，个别会有误判；行动前请先看原话。",
)


def _move(counts: Mapping[str, tuple[int, int]], facts: Facts) -> Move | None:
    """To answer complaints; where nobody is known to be staff, “a bug” may be mere talk."""
    complaints = {name: c for name, c in counts.items() if FAMILIES[name].complaint}
    if not complaints:
        return None
    first = next(iter(complaints))
    messages, members = complaints[first]
    if members < 5:
        return None
    share = messages / sum(n for n, _ in counts.values())
    return Move(
        Text(
            f"Answer the complaints about {FAMILIES[first].name.en} first: "
            f"{many(members, 'member')} "
            "raised them. Post one answer for all, then write to each.",
            f"先处理关于{FAMILIES[first].name.zh}的抱怨：{members:,} 人提过。"
            "先在群里统一答复，再逐一私聊。",
        ),
        weight=min(0.3 + share, 0.8 if {"staff", "corporate"} & facts.has else 0.3),
    )


WISH_TALK = Metric(
    id="needs",
    name=Text("Needs and complaints", "需求与抱怨"),
    unit=Text("messages of members", "成员消息数"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        "Messages of members that hold words of a family: "
        + ", ".join(f.name.en for f in FAMILIES.values())
        + "; each message counts for the first that fits, in that order. Clusters: latest "
        "messages of different members in a month that share two key terms (English words, "
        "Chinese character pairs), at least three people each.",
        "成员消息中含有某类词语："
        + "、".join(f.name.zh for f in FAMILIES.values())
        + "；每条按此顺序归入首个匹配的类别。聚类：不同成员每月最近一条中共有两个关键词"
        "（英文词、汉字二元组），至少三人。",
    ),
    cubes=(WISHES,),
    summarise=_found,
    needs=("text",),
)

METRICS: tuple[Metric, ...] = (WISH_TALK,)
