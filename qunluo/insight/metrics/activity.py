"""I7 and I13: how many of a group's members speak, and whether more pushes go with more talk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.estimates import quantile, spearman, spearman_interval, wilson
from qunluo.insight.figures import Chart, Facts, Finding, Metric, Move, Need, Series, Table
from qunluo.insight.metrics.member_cubes import MEMBERSHIP, NEVER, ROSTER, WHO, micros
from qunluo.insight.metrics.phrases import NO_BRAND, many, nothing, percent, signed
from qunluo.insight.metrics.pushes import paces
from qunluo.insight.metrics.study_cubes import CLASS_DAY, SPEAKERS, Array, where
from qunluo.kit.text import Text

ROWS = 70
STEPS = 10  # bars of the histogram
FEW = 8  # groups below which a correlation is not worth its name
SOURCES: tuple[Need, ...] = ("roster", "joins")


@dataclass(frozen=True)
class Rate:
    """One group: who spoke, who is in it now, who was ever in it. Members only."""

    group: int
    speakers: int
    size: int
    ever: int

    @property
    def rate(self) -> float:
        """Speakers ÷ group size; above 1 if more spoke than are left."""
        return self.speakers / self.size

    @property
    def corrected(self) -> float:
        return self.speakers / self.ever


def rates(cubes: Mapping[str, pa.Table]) -> tuple[list[Rate], int]:
    """Groups of known size by rate falling, and how many groups have no known size."""
    spoke = cubes[SPEAKERS.name]
    counts = _counts(_everybody(cubes[ROSTER.name], cubes[MEMBERSHIP.name], spoke))
    known = [Rate(**row) for row in counts.to_pylist() if row["size"]]
    everywhere = pc.count_distinct(spoke["group_key"]).as_py()
    return sorted(known, key=lambda r: (-r.rate, r.group)), everywhere - len(known)


def _counts(people: pa.Table) -> pa.Table:
    counted = people.group_by("group_key").aggregate(
        [("spoke", "sum"), ("there", "sum"), ("spoke", "count")]
    )
    names = {"group_key": "group", "spoke_sum": "speakers", "there_sum": "size"}
    return counted.rename_columns(names | {"spoke_count": "ever"})


def _everybody(roster: pa.Table, seen: pa.Table, speakers: pa.Table) -> pa.Table:
    """group_key, sender_key, spoke, there: every member ever in a group of known size.

    A roster is complete: a speaker that it misses has left. Of events it is not known.
    """
    came = _listed(roster) if roster.num_rows else _seen(seen)
    others = speakers.filter(pc.not_equal(speakers["class"], "member")).select(WHO)
    came = came.join(others, WHO, join_type="left anti")
    spoke = where(speakers, "class", "member").select(WHO)
    spoke = spoke.filter(pc.is_in(spoke["group_key"], pc.unique(came["group_key"])))
    spoke = spoke.append_column("spoke", pa.array(np.ones(spoke.num_rows, dtype=bool)))
    everybody = came.join(spoke, WHO, join_type="full outer")
    there = pc.fill_null(everybody["there"], not roster.num_rows)
    said = pc.fill_null(everybody["spoke"], False)
    return everybody.select(WHO).append_column("there", there).append_column("spoke", said)


def _listed(roster: pa.Table) -> pa.Table:
    """Who the roster names, once each, and whether they are there without a leave date."""
    rows = roster.filter(pc.is_valid(roster["group_key"]))
    there = rows.select(WHO).append_column("here", pc.is_null(rows["left_at"]))
    return there.group_by(WHO).aggregate([("here", "any")]).rename_columns([*WHO, "there"])


def _seen(seen: pa.Table) -> pa.Table:
    """Who joined or left while the archive looked, and whether joining came last."""
    left, joined = micros(seen["last_leave"]), micros(seen["last_join"])
    named = seen.rename_columns({"subject_key": "sender_key"}).select(WHO)
    return named.append_column("there", pa.array((left == NEVER) | (left < joined)))


def _activity(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found, unknown = rates(cubes)
    if not found:
        return Finding({}, 0, nothing("no group's size is known", "没有任何群的人数可知"))
    above = sum(r.rate > 0.2 for r in found)
    low, high = wilson(above, len(found))
    value = {
        "above_20": above,
        "above_50": sum(r.rate > 0.5 for r in found),
        "median": quantile([r.rate for r in found], 0.5),
        "median_corrected": quantile([r.corrected for r in found], 0.5),
        "groups": [_as_value(r, facts) for r in found],
    }
    return Finding(
        value=value,
        n=len(found),
        sentence=_sentence(found, above),
        interval=(low, high) if len(found) > 1 else None,
        interval_of=Text("groups above 20%", "超过 20% 的群"),
        charts=(_histogram(found, above),) if len(found) > 1 else (),
        tables=(_table(found, facts),),
        notes=_notes(facts, unknown),
        move=_wake(found, facts),
    )


def _as_value(r: Rate, facts: Facts) -> dict[str, object]:
    return {
        "group": facts.group(r.group),
        "speakers": r.speakers,
        "size": r.size,
        "ever": r.ever,
        "rate": round(r.rate, 4),
        "corrected": round(r.corrected, 4),
    }


def _sentence(found: list[Rate], above: int) -> Text:
    if len(found) == 1:
        return _only_group(found[0])
    rate = percent(quantile([r.rate for r in found], 0.5))
    honest = percent(quantile([r.corrected for r in found], 0.5))
    return Text(
        f"In {above:,} of {many(len(found), 'group')} more than 20% of the members speak; the "
        f"median group has {rate}, or {honest} counting everybody who was ever in it.",
        f"{len(found):,} 个群中有 {above:,} 个群发言成员超过 20%；中位数的群为 {rate}，"
        f"若以曾入群的所有人为分母则为 {honest}。",
    )


def _only_group(r: Rate) -> Text:
    """Of one group, and where more spoke than are left, without a share above all."""
    en = f"{percent(r.corrected)} of the {r.ever:,} who were ever in the group spoke"
    zh = f"曾入群的 {r.ever:,} 人中有 {percent(r.corrected)} 发过言"
    if r.rate > 1:
        return Text(
            f"{en}; that is more people ({r.speakers:,}) than are in it now ({r.size:,}).",
            f"{zh}；发过言的人（{r.speakers:,}）比现有成员（{r.size:,}）还多。",
        )
    return Text(
        f"{en}; of the {r.size:,} in it now it is {percent(r.rate)}.",
        f"{zh}；以现有 {r.size:,} 名成员计为 {percent(r.rate)}。",
    )


def _histogram(found: list[Rate], above: int) -> Chart:
    def counts(values: list[float]) -> tuple[float, ...]:
        steps = [min(int(v * STEPS), STEPS - 1) for v in values]
        return tuple(steps.count(i) for i in range(STEPS))

    return Chart(
        kind="bar",
        title=Text(
            f"{percent(above / len(found))} of the groups have more than 20% speaking members",
            f"{percent(above / len(found))} 的群发言成员超过 20%",
        ),
        x=(*(f"{i * 10}–{i * 10 + 10}%" for i in range(STEPS - 1)), "≥90%"),
        series=(
            Series(Text("of members now", "占现有成员"), counts([r.rate for r in found])),
            Series(
                Text("of all ever there", "占曾入群者"), counts([r.corrected for r in found])
            ),
        ),
        x_name=Text("speaking members", "发言成员占比"),
        y_name=Text("groups", "群数"),
    )


def _table(found: list[Rate], facts: Facts) -> Table:
    return Table(
        title=Text("Groups by activity rate", "各群活跃率"),
        columns=(
            Text("Group", "群"),
            Text("Speakers", "发言成员"),
            Text("Members now", "现有成员"),
            Text("Ever there", "曾入群"),
            Text("Rate", "活跃率"),
            Text("Corrected", "修正活跃率"),
        ),
        rows=tuple(
            (facts.group(r.group), r.speakers, r.size, r.ever, r.rate, r.corrected)
            for r in found[:ROWS]
        ),
        percent=frozenset({4, 5}),
        more=max(len(found) - ROWS, 0),
    )


def _notes(facts: Facts, unknown: int) -> tuple[Text, ...]:
    notes = [
        Text(
            "The corrected rate is the honest one: leavers are missing from the group size but "
            "not from the speakers.",
            "修正活跃率更可信：离开的人不在现有人数里，却仍算作发言者。",
        ),
    ]
    if "roster" not in facts.has:
        en = (
            "Sizes come from joins and leaves in the archive: silent members who joined before "
            "it began are not seen, so true rates are lower. A roster would settle it."
        )
        zh = (
            "人数由存档中的进退群记录推算：存档开始前入群且从未发言的人不可见，实际活跃率更低。"
        )
        notes.append(Text(en, zh + "补充成员名册即可准确。"))
    if unknown:
        en = f"{many(unknown, 'group')} without a known size are left out."
        notes.append(Text(en, f"{unknown:,} 个群人数未知，未计入。"))
    return tuple(notes)


def _wake(found: list[Rate], facts: Facts) -> Move | None:
    quiet = [r for r in found if r.corrected < 0.2]
    if not quiet:
        return None
    most = max(quiet, key=lambda r: (r.ever - r.speakers, -r.group))
    silent = most.ever - most.speakers
    en = (
        f"Start with a question everybody can answer in the {many(len(quiet), 'group')} below "
        f"20%: the largest has {many(silent, 'member')} who never spoke."
    )
    zh = (
        f"先在 {len(quiet):,} 个低于 20% 的群抛出人人能答的话题：其中最大的群有 {silent:,} 人"
        "从未发言。"
    )
    return Move(Text(en, zh), min(0.3 + 0.5 * len(quiet) / len(found), 0.8))


ACTIVITY = Metric(
    id="I7",
    name=Text("Activity rate", "群活跃率"),
    unit=Text("share of members", "占成员比例"),
    window=Text("each group's whole life", "每个群的全部时间"),
    definition=Text(
        "Per group: distinct accounts of class member that wrote at least one message ÷ "
        "group size. Size: rows of the roster without a leave date; without a roster, "
        "accounts that joined or spoke and whose last leave is not at or after their last "
        "join. Accounts that wrote as brand, bot or system are not counted. Corrected rate: "
        "the same speakers ÷ everybody ever in the group (all rows of the roster, or all who "
        "joined, left or spoke). Medians are nearest-rank over groups of known size; the "
        "interval is Wilson's.",
        "每个群：至少发过一条消息的成员账号数 ÷ 群人数。群人数：名册中没有退群日期的行；"
        "没有名册时，为曾入群或发言、且最后一次退群不晚于最后一次入群之后的账号。品牌、"
        "机器人与系统账号不计。修正活跃率：同样的发言者 ÷ 曾在群中的所有人（名册全部行；"
        "或所有入群、退群、发言过的账号）。中位数取人数已知的群的最近秩；区间为 Wilson 区间。",
    ),
    cubes=(SPEAKERS, ROSTER, MEMBERSHIP),
    summarise=_activity,
    reference=Text(
        "47 of 67 groups above 20%, 3 above 50%; two heaps: 40–50% and below 20%",
        "67 个群中 47 个超过 20%，3 个超过 50%；集中在 40–50% 与 20% 以下两处",
    ),
    one_of=SOURCES,
)


def _frequency(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found, _ = rates(cubes)
    pace = {p.group: p.a_day for p in paces(cubes[CLASS_DAY.name])}
    if not any(pace.values()):
        return Finding({}, 0, nothing(NO_BRAND.en, NO_BRAND.zh))
    known = sorted((r for r in found if r.group in pace), key=lambda r: r.group)
    x = np.array([pace[r.group] for r in known], dtype=np.float64)
    y = np.array([r.rate for r in known], dtype=np.float64)
    rho = spearman(x, y)
    low, high = spearman_interval(x, y, facts.seed) if len(known) >= FEW else (rho, rho)
    if len(known) < FEW or isnan(rho) or isnan(low):
        return _too_few(len(known))
    verdict = "inconclusive" if low <= 0 <= high else "more" if rho > 0 else "less"
    return Finding(
        value={
            "rho": rho,
            "low": low,
            "high": high,
            "verdict": verdict,
            "rho_corrected": spearman(x, np.array([r.corrected for r in known])),
        },
        n=len(known),
        sentence=_verdict(verdict, rho),
        interval=(low, high),
        charts=(_scatter(verdict, x, y),),
        notes=(_NO_CAUSE,),
    )


def _too_few(n: int) -> Finding:
    return Finding(
        value={"rho": None, "verdict": "inconclusive"},
        n=n,
        sentence=Text(
            f"Inconclusive: of {many(n, 'group')} the size and the brand's pace are known; it "
            f"takes {FEW} whose pace differs.",
            f"无法判断：人数与推送频率均已知的群有 {n:,} 个，至少需要 {FEW} 个且频率各异。",
        ),
    )


_NO_CAUSE = Text(
    "A correlation over groups says nothing of cause: lively groups may simply get more "
    "pushes. Holding out some groups for a while would tell.",
    "群间相关不等于因果：也可能是活跃的群得到更多推送。留出部分群一段时间做对照才能判断。",
)

_WORDS = {
    "inconclusive": Text(
        "Inconclusive: brand messages a day and activity do not move together clearly",
        "无法判断：品牌推送频率与活跃率没有明确的同向或反向关系",
    ),
    "more": Text(
        "Groups with more brand messages a day are more active",
        "品牌推送更频繁的群更活跃",
    ),
    "less": Text(
        "Groups with more brand messages a day are less active",
        "品牌推送更频繁的群更不活跃",
    ),
}


def _verdict(verdict: str, rho: float) -> Text:
    words = _WORDS[verdict]
    return Text(
        f"{words.en} (Spearman's ρ {signed(rho)}).",
        f"{words.zh}（Spearman ρ 为 {signed(rho)}）。",
    )


def _scatter(verdict: str, x: Array, y: Array) -> Chart:
    order = np.lexsort((y, x))
    return Chart(
        kind="scatter",
        title=_WORDS[verdict],
        x=tuple(round(float(v), 3) for v in x[order]),
        series=(Series(Text("groups", "群"), tuple(round(float(v), 4) for v in y[order])),),
        x_name=Text("brand messages a day", "每天品牌消息数"),
        y_name=Text("activity rate", "活跃率"),
        percent=True,
        log_x=bool(len(x) and x.min() > 0),
    )


FREQUENCY = Metric(
    id="I13",
    name=Text("Push frequency and activity", "推送频率与活跃率"),
    unit=Text("Spearman's ρ", "Spearman ρ"),
    window=Text("each group's whole life", "每个群的全部时间"),
    definition=Text(
        "Over groups of known size: Spearman's rank correlation (ties share the mean rank) of "
        "brand messages a day (I4) and the activity rate (I7). Interval: 95% "
        "percentile bootstrap, 2,000 resamples of groups with a fixed seed. Inconclusive if it "
        f"holds 0, or with fewer than {FEW} groups.",
        "对人数已知的群：日均品牌消息（I4）与活跃率（I7）的 Spearman 秩相关（并列取平均"
        "秩）。区间：对群重抽样 2,000 次的 95% 百分位自助区间，随机种子固定。区间含 0 或不足 "
        f"{FEW} 个群时记为“无法判断”。",
    ),
    cubes=(SPEAKERS, ROSTER, MEMBERSHIP, CLASS_DAY),
    summarise=_frequency,
    reference=Text("the study could not tell", "参考研究未能得出结论"),
    one_of=SOURCES,
)

METRICS: tuple[Metric, ...] = (ACTIVITY, FREQUENCY)
