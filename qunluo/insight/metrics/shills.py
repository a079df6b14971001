"""I12: accounts that look like shills: a score with its evidence, never a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.figures import Chart, Cube, Facts, Finding, Metric, Move, Series, Table
from qunluo.insight.figures import Quote as Quoted
from qunluo.insight.metrics.phrases import many
from qunluo.insight.metrics.study_cubes import SPEAKERS, Array, by_group, column
from qunluo.kit.text import Text

FLOOR, LOW, HIGH = 500, 0.01, 0.04  # messages, and share of the group's
PRAISE_WORDS = (
    "好用|好评|好看|好吃|真好|太好|不错|真棒|太棒|棒棒|喜欢|爱了|支持|给力|划算|推荐|回购|值"
    "得|满意|厉害|优秀|漂亮|真香|点赞|期待|已买|已下单|必须|冲|👍|👏|❤|(?i:love it|so "
    "good|great|awesome|amazing|nice|recommend|well done)"
)
SHORT = 15  # characters of a text that can be template-like
FEW_GAPS = 50
AGAIN = 5  # times an account writes the same short text before it is a template
WIDTH = 0.05  # of a step of gap lengths, in natural logarithms
BEAT_FROM, COARSE_FROM = (
    10,
    600,
)  # shortest gaps (s) that can be a beat; if only minutes are known
SLOT = 600  # seconds of a slot of co-activity
WEEK = 7 * 86_400 // SLOT  # slots
SUSPICIOUS, SIGN = 0.5, 0.5
WEIGHTS = (0.4, 0.35, 0.25)  # style, timing, together
ROWS = 50


def candidates(t: Any) -> Any:
    """group_key, sender_key of member accounts within the bounds of volume."""
    whom = ["group_key", "sender_key"]
    per = t.person.join(t.classes, whom).group_by([*whom, "class"]).agg(n=lambda p: p.n.sum())
    human = per.filter(per["class"] != "system")
    totals = human.group_by("group_key").agg(total=lambda p: p.n.sum())
    loud = per.filter((per["class"] == "member") & (per.n >= FLOOR)).join(totals, "group_key")
    within = (loud.n >= LOW * loud.total) & (loud.n <= HIGH * loud.total)
    return loud.filter(within).select(*whom)


def _messages(t: Any) -> Any:
    return t.messages.semi_join(candidates(t), ["group_key", "sender_key"])


def _style(t: Any) -> Any:
    import ibis  # noqa: PLC0415 - compiled plans are kept, so most runs never need it

    raw = _messages(t)
    sticker = raw.kind.isin(["sticker", "gif"])
    worded = raw.mutate(sticker=sticker, words=(raw.kind == "text").ifelse(raw.text, None))
    each = worded.group_by(["group_key", "sender_key", "sticker", "words"]).agg(
        n=lambda r: r.count()
    )
    short = each.words.notnull() & (each.words.length() <= SHORT)
    canned = short & ((each.n >= AGAIN) | each.words.re_search(PRAISE_WORDS))
    each = each.mutate(canned=canned.fill_null(False))
    often = ibis.struct({"n": each.n, "words": each.words})  # one answer where two are as often
    return each.group_by(["group_key", "sender_key"]).agg(
        n=lambda e: e.n.sum(),
        stickers=lambda e: e.n.sum(where=e.sticker),
        canned=lambda e: e.n.sum(where=e.canned),
        distinct=lambda e: e.words.count(),
        example=each.words.argmax(often, where=each.canned),
        example_n=lambda e: e.n.max(where=e.canned),
    )


STYLE = Cube("suspect_style", _style)
"""group_key, sender_key, n, stickers, canned (short praise or a short text written again and
again), distinct texts, example and example_n (the most frequent canned text)."""


def _gaps(t: Any) -> Any:
    raw, whom = _messages(t), ["group_key", "sender_key"]
    before = raw.local_at.lag().over(group_by=whom, order_by=["local_at", "seq"])
    near = raw.mutate(before=before).filter(lambda r: r.before.date() == r.local_at.date())
    gap = near.local_at.epoch_seconds() - near.before.epoch_seconds()
    each = near.select(*whom, gap=gap, length=((gap + 1).ln() / WIDTH).floor().cast("int64"))
    return each.group_by([*whom, "length"]).agg(
        gaps=lambda e: e.count(),
        odd=lambda e: (e.gap % 60 != 0).sum(),
        total=lambda e: e.gap.sum(),
        squares=lambda e: (e.gap * e.gap).sum(),
    )


GAPS = Cube("suspect_gaps", _gaps)
"""Seconds between an account's neighbouring messages of one local day, by length in steps of
5 %: group_key, sender_key, length, gaps, odd (no whole minutes), total, squares."""


def _slots(t: Any) -> Any:
    raw = _messages(t)
    slotted = raw.mutate(slot=raw.local_at.epoch_seconds() // SLOT)
    return slotted.group_by(["group_key", "sender_key", "slot"]).agg(n=lambda r: r.count())


SLOTS = Cube("suspect_slots", _slots)
"""group_key, sender_key, slot (ten minutes since 1970, local), n."""

CUBES = (SPEAKERS, STYLE, GAPS, SLOTS)


@dataclass(frozen=True)
class Rhythm:
    """How machine-like an account's gaps within a day are; nothing is said of under 50."""

    variation: float | None = None  # deviation ÷ mean
    beat: float | None = None  # share of gaps that are the same to 10 %

    @property
    def sign(self) -> float:
        even = 0.0 if self.variation is None else ramp(-self.variation, -1.2, -0.6)
        return max(even, 0.0 if self.beat is None else ramp(self.beat, 0.15, 0.4))


@dataclass(frozen=True)
class Suspect:
    """One account within the bounds of volume, its three signs (0 to 1) and their evidence."""

    group: int
    sender: int
    n: int
    share: float  # of the group's messages without system messages
    canned: float  # share of own messages that are stickers or canned texts
    example: str | None
    example_n: int
    rhythm: Rhythm
    style: float
    together: float = 0.0
    overlap: float = 0.0  # share of own active slots shared with a suspect, above chance

    @property
    def timing(self) -> float:
        return self.rhythm.sign

    @property
    def score(self) -> float:
        signs = (self.style, self.timing, self.together)
        return sum(w * s for w, s in zip(WEIGHTS, signs, strict=True))

    @property
    def suspicious(self) -> bool:
        signs = (self.style, self.timing, self.together)
        return self.score >= SUSPICIOUS and sum(s >= SIGN for s in signs) >= 2


def suspects(cubes: Mapping[str, pa.Table]) -> list[Suspect]:
    """Every candidate with its score, the highest first."""
    totals = _totals(cubes[SPEAKERS.name])
    rhythms = _rhythms(cubes[GAPS.name])
    alone = [
        _alone(r, totals[r["group_key"]], rhythms.get((r["group_key"], r["sender_key"])))
        for r in cubes[STYLE.name].to_pylist()
    ]
    slots = by_group(cubes[SLOTS.name]) if alone else {}
    found = [s for group in slots for s in _in_company(_of(alone, group), slots[group])]
    return sorted(found, key=lambda s: (-s.score, -s.n, s.group, s.sender))


def _totals(speakers: pa.Table) -> dict[int, int]:
    human = speakers.to_pylist()
    totals: dict[int, int] = {}
    for row in human:
        if row["class"] != "system":
            totals[row["group_key"]] = totals.get(row["group_key"], 0) + row["n"]
    return totals


def _of(found: list[Suspect], group: int) -> list[Suspect]:
    return [s for s in found if s.group == group]


def _alone(row: Mapping[str, Any], total: int, rhythm: Rhythm | None) -> Suspect:
    canned = ((row["stickers"] or 0) + (row["canned"] or 0)) / row["n"]
    return Suspect(
        group=row["group_key"],
        sender=row["sender_key"],
        n=row["n"],
        share=row["n"] / total,
        canned=canned,
        example=row["example"],
        example_n=row["example_n"] or 0,
        rhythm=rhythm or Rhythm(),
        style=ramp(canned, 0.3, 0.7),
    )


def _rhythms(gaps: pa.Table) -> dict[tuple[int, int], Rhythm]:
    found = {}
    for group, rows in by_group(gaps).items():
        for sender in np.unique(column(rows, "sender_key")).tolist():
            mine = rows.filter(pc.equal(rows["sender_key"], sender)).sort_by("length")
            found[group, sender] = rhythm_of(mine)
    return found


def rhythm_of(steps: pa.Table) -> Rhythm:
    """The rhythm of one account from its rows of `GAPS`, lengths ascending."""
    length, gaps, total = (column(steps, name) for name in ("length", "gaps", "total"))
    n = int(gaps.sum())
    if n < FEW_GAPS or not total.sum():
        return Rhythm()
    mean = float(total.sum() / n)
    spread = max(float(column(steps, "squares").sum() / n) - mean * mean, 0.0) ** 0.5
    coarse = column(steps, "odd").sum() < 0.05 * n
    long = length >= np.floor(np.log(COARSE_FROM if coarse else BEAT_FROM) / WIDTH)
    return Rhythm(spread / mean, _largest_pair(length[long], gaps[long]) / n)


def _largest_pair(length: Array, gaps: Array) -> int:
    """Most gaps of two neighbouring steps of length."""
    after = np.append(np.diff(length) == 1, [False])[: len(length)]
    pairs = gaps + np.where(after, np.roll(gaps, -1), 0)
    return int(pairs.max(initial=0))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight in between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _in_company(found: list[Suspect], slots: pa.Table) -> list[Suspect]:
    """The same suspects with their co-activity with others who look suspect on their own."""
    sender, slot = column(slots, "sender_key"), column(slots, "slot")
    own = {s.sender: slot[sender == s.sender] for s in found}
    marked = [s.sender for s in found if s.style + s.timing >= 1.0]
    return [_with(s, own, [m for m in marked if m != s.sender]) for s in found]


def _with(s: Suspect, own: Mapping[int, Array], others: list[int]) -> Suspect:
    if not others:
        return s
    theirs = np.unique(np.concatenate([own[o] for o in others]))
    mine = own[s.sender]
    seen = float(np.isin(mine, theirs).mean())
    chance = float(np.mean([np.isin(mine + d, theirs).mean() for d in (-WEEK, WEEK)]))
    above = (seen - chance) / (1 - chance) if chance < 1 else 0.0
    return replace(s, overlap=max(above, 0.0), together=ramp(above, 0.1, 0.4))


def _shills(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = suspects(cubes)
    marked = [s for s in found if s.suspicious]
    value = {
        "candidates": len(found),
        "suspicious": len(marked),
        "groups": len({s.group for s in marked}),
        "messages": sum(s.n for s in marked),
        "accounts": [_as_value(s, facts) for s in found[:ROWS]],
    }
    return Finding(
        value=value,
        n=len(found),
        sentence=_sentence(found, marked),
        charts=(_chart(found),) if found else (),
        tables=(_table(found, facts),) if found else (),
        notes=(_CAUTION,) if found else (),
        move=_look(marked),
    )


_CAUTION = Text(
    "A score is a reason to look, not a verdict: an eager member with favourite stickers or a "
    "scheduled life can score high. Read the quoted evidence before you speak of it.",
    "分数只是查看的理由，不是结论：爱用表情、作息规律的热心成员也可能得高分。"
    "下结论前请先看所附证据。",
)


def _as_value(s: Suspect, facts: Facts) -> dict[str, Any]:
    signs = {"style": s.style, "timing": s.timing, "together": s.together}
    return {
        "account": facts.person(s.sender),
        "group": facts.group(s.group),
        "messages": s.n,
        "score": round(s.score, 3),
        "suspicious": s.suspicious,
        "signs": {name: round(sign, 3) for name, sign in signs.items()},
    }


def _sentence(found: list[Suspect], marked: list[Suspect]) -> Text:
    if not found:
        return Text(
            f"No member account has {FLOOR} messages and 1–4% of its group's: there is nobody "
            "to suspect by this rule.",
            f"没有成员账号同时达到 {FLOOR} 条消息且占本群 1–4%：按此规则无可疑账号。",
        )
    if not marked:
        return Text(
            f"None of {many(len(found), 'busy account')} looks like a shill.",
            f"{len(found):,} 个高产账号中没有发现疑似水军。",
        )
    groups, n = len({s.group for s in marked}), sum(s.n for s in marked)
    return Text(
        f"{many(len(marked), 'account')} in {many(groups, 'group')} "
        f"{'looks like a shill' if len(marked) == 1 else 'look like shills'} and wrote {n:,} "
        "messages: worth a look, not a verdict.",
        f"{groups:,} 个群中有 {len(marked):,} 个账号疑似水军，共发 {n:,} 条消息："
        "值得查看，并非定论。",
    )


def _chart(found: list[Suspect]) -> Chart:
    marked = sum(s.suspicious for s in found)
    return Chart(
        kind="scatter",
        title=Text(
            f"{f'{marked:,}' if marked else 'None'} of {many(len(found), 'busy account')} "
            f"{'stand' if marked > 1 else 'stands'} apart by style and timing",
            f"{len(found):,} 个高产账号中，{f'{marked:,} 个' if marked else '没有'}"
            "在文风与节奏上与众不同",
        ),
        x=tuple(round(100 * s.canned, 2) for s in found),
        series=(Series(Text("score", "分数"), tuple(round(s.score, 4) for s in found)),),
        x_name=Text(
            "stickers and canned texts, % of own messages", "表情与套话占本人消息（%）"
        ),
        y_name=Text("suspicion score, 0 to 1", "可疑分数（0–1）"),
        reference=((SUSPICIOUS, Text("worth a look", "值得查看")),),
    )


def _table(found: list[Suspect], facts: Facts) -> Table:
    return Table(
        title=Text("Accounts by suspicion, with the evidence", "可疑账号与证据"),
        columns=(
            Text("Account", "账号"),
            Text("Group", "群"),
            Text("Messages", "消息数"),
            Text("Of the group's", "占本群"),
            Text("Score", "分数"),
            Text("Stickers and canned texts", "表情与套话"),
            Text("Says again and again", "反复说"),
            Text("Times", "次数"),
            Text("Gaps of one length", "同一间隔占比"),
            Text("Gap variation", "间隔变异系数"),
            Text("Together with suspects", "与可疑账号同时活跃"),
        ),
        rows=tuple(_row(s, facts) for s in found[:ROWS]),
        percent=frozenset({3, 5, 8, 10}),
        more=max(len(found) - ROWS, 0),
    )


def _row(s: Suspect, facts: Facts) -> tuple[Any, ...]:
    return (
        facts.person(s.sender),
        facts.group(s.group),
        s.n,
        s.share,
        round(s.score, 2),
        s.canned,
        Quoted(s.example, "") if s.example else None,
        s.example_n or None,
        s.rhythm.beat,
        None if s.rhythm.variation is None else round(s.rhythm.variation, 2),
        s.overlap,
    )


def _look(marked: list[Suspect]) -> Move | None:
    if not marked:
        return None
    en = (
        f"Look at {many(len(marked), 'account that may be a shill', 'accounts that may be shills')} "
        f"before you trust the activity figures of "
        f"{'its group' if len(marked) == 1 else 'their groups'}."
    )
    zh = f"先核查 {len(marked):,} 个疑似水军账号，再相信所在群的活跃数字。"
    return Move(Text(en, zh), 0.6)


SHILL_SUSPICION = Metric(
    id="I12",
    name=Text("Shill suspicion", "水军嫌疑"),
    unit=Text("accounts; score 0 to 1", "个账号；分数 0–1"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        f"Candidates: member accounts with at least {FLOOR} messages in a group that are 1% "
        "to 4% of the group's messages without system accounts. Three signs from 0 to 1. "
        f"Style: share of own messages that are stickers, or texts of at most {SHORT} "
        f"characters that praise (word list) or were written {AGAIN} times or more in the "
        "same words; 0 at 30%, 1 at 70%. Timing: of the gaps between own neighbouring "
        f"messages of one local day ({FEW_GAPS} or more) the larger of two: standard "
        "deviation ÷ mean, 0 at 1.2, 1 at 0.6; and the largest share of gaps in two "
        f"neighbouring steps of 5% of length, from {BEAT_FROM} seconds on (from {COARSE_FROM} "
        "where times know no seconds), 0 at 15%, 1 at 40%. Together: share of own active "
        "ten-minute slots in which another candidate with style + timing ≥ 1 is active, less "
        "the same share after moving the own slots by a week back and forth, ÷ (1 − that); 0 "
        "at 10%, 1 at 40%. Score = 0.40 style + 0.35 timing + 0.25 together. Suspicious: "
        "score ≥ 0.5 and two signs ≥ 0.5.",
        f"候选：在某群至少发 {FLOOR} 条消息、且占该群消息（不含系统账号）1% 至 4% 的成员账号。"
        f"三项迹象，各 0–1。文风：自己的消息中表情，以及不超过 {SHORT} 字且为夸赞（词表）或同"
        f"样内容发过 {AGAIN} 次以上的文本之占比；30% 为 0，70% 为 1。节奏：同一本地日内相邻两"
        f"条自己消息的间隔（至少 {FEW_GAPS} 个）的两个指标取大者：标准差 ÷ 均值，1.2 为 0，"
        f"0.6 为 1；按 5% 级差划分时相邻两级间隔的最大占比（自 {BEAT_FROM} 秒起；时间只到分钟"
        f"的自 {COARSE_FROM} 秒起），15% 为 0，40% 为 1。同步：自己活跃的十分钟时段中，"
        "另有文风 + 节奏 ≥ 1 的候选账号同时活跃的占比，减去将自己的时段前后各移一周后的同一占"
        "比，再 ÷（1 − 后者）；10% 为 0，40% 为 1。分数 = 0.40 文风 + 0.35 节奏 + 0.25 同步。"
        "可疑：分数 ≥ 0.5 且两项迹象 ≥ 0.5。",
    ),
    cubes=CUBES,
    summarise=_shills,
    reference=Text(
        "one group of 282 members, 100 speakers, 44,352 messages, with 22 such accounts",
        "一个群：282 名成员、100 人发言、44,352 条消息，其中 22 个此类账号",
    ),
)

METRICS: tuple[Metric, ...] = (SHILL_SUSPICION,)
