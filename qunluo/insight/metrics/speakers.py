"""How talk is shared out: I8 concentration, who joined and left, topics and first answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.estimates import gini, summary, wilson
from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.metrics.count_cubes import LATENCY, THREAD
from qunluo.insight.metrics.phrases import many, nothing, percent
from qunluo.insight.metrics.study_cubes import SPEAKERS, column
from qunluo.insight.metrics.talk import ALL_TIME
from qunluo.kit.text import Text

TOP_GROUPS = 6  # as the study counted
ROWS = 50
FEW_SPEAKERS = 10  # below which a tenth of them is nobody
HOUR_S, DAY_S = 3600, 86_400
SPANS: tuple[tuple[int, Text], ...] = (
    (60, Text("1 min", "1 分钟")),
    (300, Text("5 min", "5 分钟")),
    (900, Text("15 min", "15 分钟")),
    (HOUR_S, Text("1 h", "1 小时")),
    (4 * HOUR_S, Text("4 h", "4 小时")),
    (DAY_S, Text("1 day", "1 天")),
    (7 * DAY_S, Text("7 days", "7 天")),
)
NOT_PEOPLE = pa.array(["bot", "system"])


def _concentration(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = facts.accounts(cubes[SPEAKERS.name])
    if not rows.num_rows:
        return Finding({}, 0, nothing("no message", "没有消息"))
    members = rows.filter(pc.equal(rows["class"], "member"))
    groups = _sums(members, "group_key")
    people = rows.filter(pc.invert(pc.is_in(rows["class"], NOT_PEOPLE)))
    total = sum(n for _, n in groups)
    top = sum(n for _, n in groups[:TOP_GROUPS]) / total if total else None
    value: dict[str, Any] = {
        "top_groups": TOP_GROUPS,
        "top_groups_share": top,
        "all": _spread([n for _, n in _sums(rows, "sender_key")]),
        "people": _spread([n for _, n in _sums(people, "sender_key")]),
        "members": _spread([n for _, n in _sums(members, "sender_key")]),
    }
    return Finding(
        value=value,
        n=value["members"].get("speakers", 0),
        sentence=_concentration_sentence(top, len(groups), value["members"] or value["all"]),
        charts=_lorenz(_sums(members, "sender_key") or _sums(rows, "sender_key")),
        tables=(_group_table(groups, total, facts), _speaker_table(rows, facts)),
    )


def _sums(rows: pa.Table, key: str) -> list[tuple[int, int]]:
    """Key → messages, most first."""
    sums = rows.group_by(key).aggregate([("n", "sum")])
    pairs = zip(sums[key].to_pylist(), sums["n_sum"].to_pylist(), strict=True)
    return sorted(pairs, key=lambda p: (-p[1], p[0]))


def _spread(counts: Sequence[int]) -> dict[str, Any]:
    """How unequal a distribution of messages over speakers is; `counts` most first."""
    if not counts:
        return {}
    total, n = sum(counts), len(counts)
    sizes = {"1": 1, "5": 5, "10": 10, "1pct": ceil(0.01 * n), "10pct": ceil(0.1 * n)}
    return {
        "speakers": n,
        "per_speaker": summary(counts),
        "speakers_with_one": sum(c == 1 for c in counts),
        "top_share": {name: sum(counts[:k]) / total for name, k in sizes.items()},
        "gini": gini(counts),
        "hhi": float(sum((c / total) ** 2 for c in counts)),
    }


def _concentration_sentence(top: float | None, groups: int, spread: Mapping[str, Any]) -> Text:
    tenth, g = spread["top_share"]["10pct"], spread["gini"]
    if spread["speakers"] < FEW_SPEAKERS:
        first = percent(spread["top_share"]["1"])
        return Text(
            f"The most active of {many(spread['speakers'], 'speaker')} writes {first}.",
            f"{spread['speakers']} 名发言者中，最活跃的一人贡献了 {first} 的消息。",
        )
    en = f"The most active tenth of the speakers writes {percent(tenth)} (Gini {g:.2f})."
    zh = f"最活跃的一成发言者贡献了 {percent(tenth)} 的消息（基尼系数 {g:.2f}）。"
    if top is None or groups <= TOP_GROUPS:
        return Text(en, zh)
    return Text(
        f"{TOP_GROUPS} of {groups:,} groups hold {percent(top)} of what members write. {en}",
        f"{groups:,} 个群中，{TOP_GROUPS} 个群占了成员消息的 {percent(top)}。{zh}",
    )


def _lorenz(speakers: Sequence[tuple[int, int]]) -> tuple[Chart, ...]:
    """How the talk piles up on the most active; of few speakers there are no parts of 5 %."""
    if len(speakers) < FEW_SPEAKERS:
        return ()
    counts = np.sort(np.array([n for _, n in speakers], np.float64))[::-1]
    shares = np.cumsum(counts) / counts.sum()
    at = [max(ceil(p / 100 * len(counts)), 1) for p in range(5, 101, 5)]
    drawn = Chart(
        kind="line",
        title=Text(
            f"The most active 5% of the speakers write {percent(float(shares[at[0] - 1]))}",
            f"最活跃的 5% 发言者贡献 {percent(float(shares[at[0] - 1]))}",
        ),
        x=tuple(f"{p}%" for p in range(5, 101, 5)),
        series=(Series(Text("messages", "消息"), tuple(float(shares[k - 1]) for k in at)),),
        x_name=Text("speakers, most active first", "发言者（从最活跃起）"),
        y_name=Text("share of messages", "消息占比"),
        percent=True,
    )
    return (drawn,)


def _group_table(groups: Sequence[tuple[int, int]], total: int, facts: Facts) -> Table:
    return Table(
        title=Text("Groups by messages of members", "各群成员消息"),
        columns=(Text("Group", "群"), Text("Messages", "消息"), Text("Share", "占比")),
        rows=tuple((facts.group(k), n, n / total) for k, n in groups[:ROWS]),
        percent=frozenset({2}),
        more=max(len(groups) - ROWS, 0),
    )


def _speaker_table(rows: pa.Table, facts: Facts) -> Table:
    speakers = _sums(rows, "sender_key")
    total = sum(n for _, n in speakers)
    return Table(
        title=Text(
            "Accounts by messages, brand and bots too", "账号发言排行（含品牌与机器人）"
        ),
        columns=(Text("Account", "账号"), Text("Messages", "消息"), Text("Share", "占比")),
        rows=tuple((facts.person(k), n, n / total) for k, n in speakers[:ROWS]),
        percent=frozenset({2}),
        more=max(len(speakers) - ROWS, 0),
    )


def _event_kinds(t: Any) -> Any:
    e = t.events
    month = e.local_at.truncate("M").date()
    return e.group_by("kind", month=month).agg(n=e.count())


def _joiners(t: Any) -> Any:
    """Joins and leaves of each account, and whether it ever wrote."""
    e = t.events.filter(t.events.kind.isin(["join", "leave"]), t.events.subject_key.notnull())
    moved = e.group_by("subject_key").agg(
        joins=(e.kind == "join").sum(), leaves=(e.kind == "leave").sum()
    )
    wrote = t.person.select(wrote_key=t.person.sender_key).distinct()
    both = moved.left_join(wrote, moved.subject_key == wrote.wrote_key)
    rows = both.mutate(wrote=both.wrote_key.notnull())
    return rows.group_by("joins", "leaves", "wrote").agg(accounts=rows.count())


def _gone(t: Any) -> Any:
    """Minutes between an account's leave and its next join in the group, if below 6."""
    import ibis  # noqa: PLC0415 - compiled plans are kept

    e = t.events.filter(t.events.kind.isin(["join", "leave"]), t.events.subject_key.notnull())
    within = ibis.window(group_by=["group_key", "subject_key"], order_by=["at", "seq", "nth"])
    rows = e.mutate(before=e.kind.lag().over(within), left_at=e.at.lag().over(within))
    rows = rows.filter(rows.kind == "join", rows.before == "leave")
    gap = rows.at.epoch_seconds() - rows.left_at.epoch_seconds()
    return rows.agg(n=(gap <= 300).sum().fill_null(0))


EVENT_KINDS = Cube("event_kinds", _event_kinds)  # kind, month, n
JOINERS = Cube("joiners", _joiners)  # joins, leaves, wrote, accounts
REJOINS = Cube("rejoins", _gone)  # n


def _membership(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    months = cubes[EVENT_KINDS.name].to_pylist()
    kinds = {k: sum(r["n"] for r in months if r["kind"] == k) for k in _kinds(months)}
    moved = cubes[JOINERS.name].to_pylist()
    joiners = [r for r in moved if r["joins"]]
    n = sum(r["accounts"] for r in joiners)
    silent = sum(r["accounts"] for r in joiners if not r["wrote"])
    if not n:
        return Finding({}, 0, nothing("nobody joined", "没有人入群"))
    counts = [r["joins"] for r in joiners]
    value = {
        "joins": kinds.get("join", 0),
        "leaves": kinds.get("leave", 0),
        "removals": kinds.get("remove", 0),
        "nick_changes": kinds.get("rename", 0),
        "distinct_joiners": n,
        "distinct_leavers": sum(r["accounts"] for r in moved if r["leaves"]),
        "joiners_who_never_spoke": silent,
        "joins_monthly": _monthly(months, "join"),
        "leaves_monthly": _monthly(months, "leave"),
        "joins_per_joiner": summary(counts, [r["accounts"] for r in joiners]),
        "rejoins_within_5_min_of_leaving": int(cubes[REJOINS.name]["n"][0].as_py() or 0),
    }
    return Finding(
        value=value,
        n=n,
        interval=wilson(silent, n),
        interval_of=Text("never wrote", "从未发言"),
        sentence=Text(
            f"{many(n, 'account')} joined; {percent(silent / n)} of them never wrote.",
            f"共 {n:,} 个账号入群，其中 {percent(silent / n)} 从未发言。",
        ),
        charts=(_membership_chart(value),),
        move=_welcome(silent / n, n),
    )


def _kinds(months: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({r["kind"] for r in months})


def _monthly(months: Sequence[Mapping[str, Any]], kind: str) -> dict[str, int]:
    rows = sorted((r["month"], r["n"]) for r in months if r["kind"] == kind)
    return {f"{month:%Y-%m}": n for month, n in rows}


def _membership_chart(value: Mapping[str, Any]) -> Chart:
    months = sorted({*value["joins_monthly"], *value["leaves_monthly"]})
    joins, leaves = (
        tuple(value[k].get(m, 0) for m in months) for k in ("joins_monthly", "leaves_monthly")
    )
    return Chart(
        kind="line",
        title=Text(
            f"{many(sum(joins), 'join')} against {many(sum(leaves), 'leave')}",
            f"入群 {sum(joins):,} 次，退群 {sum(leaves):,} 次",
        ),
        x=tuple(months),
        series=(Series(Text("joins", "入群"), joins), Series(Text("leaves", "退群"), leaves)),
        x_name=Text("month", "月份"),
        y_name=Text("events", "次数"),
    )


def _welcome(silent: float, n: int) -> Move | None:
    if silent < 0.5 or n < 30:
        return None
    return Move(
        Text(
            f"Greet newcomers by name with one easy question: {percent(silent)} of those who "
            "join never write.",
            f"点名欢迎新人，并抛出一个容易回答的问题：{percent(silent)} 的入群者从未发言。",
        ),
        0.6,
    )


def _threads(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = cubes[THREAD.name]
    n = rows.num_rows
    if not n:
        return Finding({}, 0, nothing("no topic", "没有话题"))
    waits = column(rows.filter(pc.is_valid(rows["wait_s"])), "wait_s")
    lonely = n - len(waits)
    value = {
        "threads": n,
        "messages_per_thread": summary(column(rows, "n")),
        "speakers_per_thread": summary(column(rows, "speakers")),
        "threads_without_reply_by_another": lonely,
        "first_reply_seconds": summary(waits) if len(waits) else {},
        "first_reply_within_1h": int((waits <= HOUR_S).sum()),
        "first_reply_within_24h": int((waits <= DAY_S).sum()),
    }
    share = value["first_reply_within_1h"] / n
    return Finding(
        value=value,
        n=n,
        interval=wilson(value["first_reply_within_1h"], n),
        interval_of=Text("answered within an hour", "一小时内得到回复"),
        sentence=Text(
            f"{percent(share)} of {many(n, 'topic')} got an answer by somebody else within an "
            f"hour; {percent(lonely / n)} got none.",
            f"{n:,} 个话题中，{percent(share)} 在一小时内得到他人回复；{percent(lonely / n)} 无人回复。",
        ),
        charts=(
            _wait_chart(
                waits,
                np.ones(len(waits), np.int64),
                n,
                Text("topics", "话题"),
                Text(
                    f"{percent(share)} are answered within an hour",
                    f"{percent(share)} 在一小时内得到回复",
                ),
            ),
        ),
    )


def _wait_chart(waits: Any, counts: Any, n: int, what: Text, title: Text) -> Chart:
    """Share of `n` answered within each of some spans; `waits[i]` s occurred `counts[i]` times."""
    shares = tuple(float(counts[waits <= seconds].sum()) / n for seconds, _ in SPANS)
    return Chart(
        kind="step",
        title=title,
        x=tuple(word for _, word in SPANS),
        series=(Series(what, shares),),
        x_name=Text("time waited", "等待时间"),
        y_name=Text("share", "占比"),
        percent=True,
    )


def _latency(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = cubes[LATENCY.name]
    n = int(pc.sum(rows["n"]).as_py() or 0)
    if not n:
        return Finding({}, 0, nothing("no reply by another", "没有他人的回复"))
    waits, counts = column(rows, "delay_s"), column(rows, "n")
    spread = summary(waits, counts.tolist())
    hour = int(counts[waits <= HOUR_S].sum())
    value = {"reply_seconds": spread, "within_1h": hour, "within_1h_share": hour / n}
    minutes = spread["p50"] / 60
    return Finding(
        value=value,
        n=n,
        interval=wilson(hour, n),
        interval_of=Text("within an hour", "一小时内"),
        sentence=Text(
            f"Half of the replies come within {minutes:,.1f} minutes, {percent(hour / n)} within "
            "an hour.",
            f"半数回复在 {minutes:,.1f} 分钟内到达，{percent(hour / n)} 在一小时内。",
        ),
        charts=(
            _wait_chart(
                waits,
                counts,
                n,
                Text("replies", "回复"),
                Text(
                    f"Half of the replies come within {minutes:,.1f} minutes",
                    f"半数回复在 {minutes:,.1f} 分钟内到达",
                ),
            ),
        ),
    )


METRICS: tuple[Metric, ...] = (
    Metric(
        id="I8",
        name=Text("Concentration", "集中度"),
        unit=Text("share of messages", "消息占比"),
        window=ALL_TIME,
        definition=Text(
            f"Messages of members in the {TOP_GROUPS} groups with most of them ÷ messages of "
            "members in all groups. Gini of messages over speakers: 0 all write alike, near 1 "
            "one writes everything; HHI: Σ of squared shares. The top k% are the ⌈k% of n⌉ most "
            "active. `all` counts every account, `people` leaves out bots and system accounts.",
            f"成员消息最多的 {TOP_GROUPS} 个群的成员消息 ÷ 全部群的成员消息。发言基尼系数：0 为人人相同，"
            "接近 1 为一人独占；HHI 为占比平方和。前 k% 为最活跃的 ⌈k%·n⌉ 个。`all` 计全部账号，"
            "`people` 不含机器人与系统账号。",
        ),
        cubes=(SPEAKERS,),
        summarise=_concentration,
        reference=Text("6 groups hold 68% of the members' messages", "6 个群占成员消息的 68%"),
    ),
    Metric(
        id="membership",
        name=Text("Joins and leaves", "入群与退群"),
        unit=Text("accounts", "账号数"),
        window=ALL_TIME,
        definition=Text(
            "Join and leave events of the export, each counted; a joiner is an account with at "
            "least one join, silent if it has no message in the whole archive. A rejoin: a join "
            "whose account's event before in the group is a leave at most 300 s earlier.",
            "导出文件中的入群与退群事件逐一计数；入群者为至少入群一次的账号，若整个档案中没有消息则为"
            "沉默。重新入群：同一账号在该群的前一事件为 300 秒内的退群。",
        ),
        cubes=(EVENT_KINDS, JOINERS, REJOINS),
        summarise=_membership,
    ),
    Metric(
        id="threads",
        name=Text("Topics and first answers", "话题与首次回复"),
        unit=Text("topics", "话题数"),
        window=ALL_TIME,
        definition=Text(
            "Topics or threads as the platform has them. First answer: the first message in the "
            "topic by another account than its first author; wait in seconds from the topic's "
            "first message. Quantiles are nearest-rank.",
            "以平台自身的话题或讨论串为准。首次回复：话题中首位作者以外账号的第一条消息；等待时间从话题"
            "首条消息起以秒计。分位数为最近秩。",
        ),
        cubes=(THREAD,),
        summarise=_threads,
        needs=("threads",),
    ),
    Metric(
        id="latency",
        name=Text("How soon replies come", "回复速度"),
        unit=Text("seconds", "秒"),
        window=ALL_TIME,
        definition=Text(
            "Explicit replies and quotes whose target is in the archive, by another account: "
            "seconds from the message to its reply.",
            "目标消息在档案中且由他人发出的显式回复与引用：从原消息到回复的秒数。",
        ),
        cubes=(LATENCY,),
        summarise=_latency,
        needs=("replies",),
    ),
)
