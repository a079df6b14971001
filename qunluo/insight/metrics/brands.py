"""I2 and I14: which accounts speak for the brand, and how they stand as corporate accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qunluo.insight.estimates import wilson
from qunluo.insight.figures import (
    Chart,
    Cube,
    Facts,
    Finding,
    GroupName,
    Metric,
    Move,
    Person,
    Series,
    Table,
)
from qunluo.insight.metrics.phrases import many, nothing, percent
from qunluo.insight.metrics.study_cubes import SPEAKERS, column, sums
from qunluo.kit.text import Text

ROWS = 50
STATUS = {
    "verified": Text("verified", "已认证"),
    "lapsed": Text("lapsed", "认证过期"),
    "never": Text("never verified", "从未认证"),
}
UNKNOWN = Text("unknown", "未知")

CORPORATE = Cube(
    "corporate_accounts",
    lambda t: t.corporate.select("group_key", "sender_key", "name", "corporate", "vendor"),
)


@dataclass(frozen=True)
class Account:
    """A brand account in one group and why it is taken for one."""

    group: int
    sender: int
    n: int
    share: float  # of the group's messages without system messages
    corporate: str | None
    suspected: bool


def brand_accounts(speakers: pa.Table, corporate: pa.Table) -> list[Account]:
    """Every account classed as brand or suspected to be the brand's, by messages falling."""
    human = speakers.filter(pc.not_equal(speakers["class"], "system"))
    totals = sums(column(human, "group_key"), column(human, "n"))
    standing = _standing(corporate)
    found = [
        Account(
            group=row["group_key"],
            sender=row["sender_key"],
            n=row["n"],
            share=row["n"] / totals[row["group_key"]],
            corporate=standing.get((row["group_key"], row["sender_key"]))
            or standing.get((None, row["sender_key"])),
            suspected=row["suspected"],
        )
        for row in _taken_for_brand(human).to_pylist()
    ]
    return sorted(found, key=lambda a: (-a.n, a.group, a.sender))


def _taken_for_brand(human: pa.Table) -> pa.Table:
    return human.filter(pc.or_(pc.equal(human["class"], "brand"), human["suspected"]))


def _standing(corporate: pa.Table) -> dict[tuple[int | None, int], str]:
    rows = corporate.to_pylist()
    return {(r["group_key"], r["sender_key"]): r["corporate"] for r in rows if r["corporate"]}


def _brand_accounts(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = brand_accounts(cubes[SPEAKERS.name], cubes[CORPORATE.name])
    groups = len(set(column(cubes[SPEAKERS.name], "group_key").tolist()))
    known = [a for a in found if not a.suspected]
    suspected = len(found) - len(known)
    value = {
        "accounts": len({a.sender for a in known}),
        "places": len(known),
        "suspected": suspected,
        "groups": groups,
        "groups_with_brand": len({a.group for a in known}),
    }
    return Finding(
        value=value,
        n=len(found),
        sentence=_brand_sentence(value),
        tables=(_brand_table(found, facts),) if found else (),
        notes=_brand_notes(len(known), suspected),
        move=_mark_staff(suspected, groups),
    )


def _brand_sentence(value: Mapping[str, int]) -> Text:
    if not value["groups"]:
        return nothing("no message", "没有消息")
    if not value["places"]:
        en, zh = "No account is known to speak for the brand", "没有已知的品牌账号"
        return _with_suspects(en, zh, value["suspected"])
    places, groups = value["groups_with_brand"], value["groups"]
    where = Text(
        f"{places:,} of {many(groups, 'group')}", f"{groups:,} 个群中的 {places:,} 个群"
    )
    if places == groups:
        where = Text(
            f"all {groups:,} groups" if groups > 1 else "the group",
            f"全部 {groups:,} 个群" if groups > 1 else "该群",
        )
    en = (
        f"{many(value['accounts'], 'account speaks', 'accounts speak')} for the brand in "
        f"{where.en}"
    )
    zh = f"品牌以 {value['accounts']:,} 个账号在{where.zh}中发言"
    return _with_suspects(en, zh, value["suspected"])


def _with_suspects(en: str, zh: str, suspected: int) -> Text:
    if not suspected:
        return Text(en + ".", zh + "。")
    return Text(
        f"{en}; {many(suspected, 'more may', 'more may')}, judging by their share of the talk.",
        f"{zh}；另有 {suspected:,} 个账号从发言占比看疑似品牌账号。",
    )


def _brand_table(found: list[Account], facts: Facts) -> Table:
    return Table(
        title=Text("Brand accounts, by messages", "品牌账号，按消息数排序"),
        columns=(
            Text("Account", "账号"),
            Text("Group", "群"),
            Text("Messages", "消息数"),
            Text("Share of the group's messages", "占本群消息"),
            Text("Corporate", "企业认证"),
            Text("How it is known", "依据"),
        ),
        rows=tuple(_brand_row(a, facts) for a in found[:ROWS]),
        percent=frozenset({3}),
        more=max(len(found) - ROWS, 0),
    )


def _brand_row(a: Account, facts: Facts) -> tuple[Any, ...]:
    known = (
        Text("suspected", "疑似") if a.suspected else Text("marked or corporate", "名单或认证")
    )
    status = STATUS.get(a.corporate or "", UNKNOWN)
    return (facts.person(a.sender), facts.group(a.group), a.n, a.share, status, known)


_ADD_STAFF = Text(
    "Add --staff with the brand's accounts, or --corporate with corporate standing: all figures "
    "about the brand need it.",
    "请用 --staff 提供品牌账号名单，或用 --corporate 提供企业认证状态：与品牌有关的指标都以此为前提。",
)


def _brand_notes(known: int, suspected: int) -> tuple[Text, ...]:
    if not suspected:
        return () if known else (_ADD_STAFF,)
    return (
        Text(
            "“Suspected” rests on the share of messages alone: an eager member can look the "
            "same. Add a staff list or corporate standing to be sure.",
            "“疑似”只依据发言占比，热心成员也可能如此。补充员工名单或企业认证信息即可确认。",
        ),
    )


def _mark_staff(suspected: int, groups: int) -> Move | None:
    if not suspected:
        return None
    en = "Confirm the suspected brand accounts in a staff list: all figures by class need it."
    zh = "用员工名单确认疑似品牌账号：所有按身份划分的数字都以此为准。"
    return Move(Text(en, zh), min(0.3 + 0.4 * suspected / groups, 0.7))


BRAND_ACCOUNTS = Metric(
    id="I2",
    name=Text("Brand accounts", "品牌账号"),
    unit=Text("accounts", "个账号"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        "An account is a brand account in a group if the staff list or the platform marks "
        "it, or if it wrote more than 20% of the group's messages and is a corporate "
        "account. Where corporate standing is unknown, an account with more than 20% is "
        "`suspected`. Share = messages of the account in the group ÷ messages of all "
        "accounts in the group except system accounts. Counted once per group (places) and "
        "once per account (accounts).",
        "某账号在某群为品牌账号，须满足：员工名单（或平台）已标明；或其消息超过该群消息的 "
        "20% 且为企业认证账号。企业认证情况未知而占比超过 20% 的，记为“疑似”：列出，但按成员"
        "统计。占比 = 该账号在该群的消息数 ÷ 该群除系统账号外全部账号的消息数。按群计（人次）"
        "与按账号计分别列出。",
    ),
    cubes=(SPEAKERS, CORPORATE),
    summarise=_brand_accounts,
    reference=Text(
        "the study's rule: more than 20% of a group's messages and a corporate account",
        "参考研究的规则：占本群消息 20% 以上，且为企业账号",
    ),
)


def _corporate(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    rows = {r["sender_key"]: r for r in cubes[CORPORATE.name].to_pylist()}
    status = Counter(r["corporate"] for r in rows.values() if r["corporate"])
    vendors = Counter(r["vendor"] for r in rows.values() if r["vendor"])
    n = sum(status.values())
    if not rows:
        sentence = nothing("no account has a corporate standing", "没有账号的企业认证信息")
        return Finding({}, 0, sentence)
    low, high = wilson(status["verified"], n)
    value = {word: status[word] for word in STATUS} | {"vendors": _shares(vendors)}
    return Finding(
        value=value,
        n=n,
        sentence=_corporate_sentence(status, vendors, n),
        interval=(low, high) if n else None,
        interval_of=STATUS["verified"],
        charts=_corporate_charts(status, vendors, n),
        tables=_lapsed_table(rows, facts),
        move=_renew(status["lapsed"], n),
    )


def _shares(vendors: Counter[str]) -> list[dict[str, Any]]:
    total = sum(vendors.values())
    ordered = sorted(vendors.items(), key=lambda v: (-v[1], v[0]))
    return [{"vendor": name, "accounts": n, "share": n / total} for name, n in ordered]


def _corporate_sentence(status: Counter[str], vendors: Counter[str], n: int) -> Text:
    en = (
        f"Of {many(n, 'corporate account')}, {status['verified']:,} are verified, "
        f"{status['lapsed']:,} lapsed and {status['never']:,} never verified"
    )
    zh = (
        f"{n:,} 个企业账号中，{status['verified']:,} 个已认证，"
        f"{status['lapsed']:,} 个认证过期，{status['never']:,} 个从未认证"
    )
    if not vendors:
        return Text(en + ".", zh + "。")
    first = _shares(vendors)[0]
    return Text(
        f"{en}; the leading tool is {first['vendor']} with {percent(first['share'])}.",
        f"{zh}；使用最多的工具是{first['vendor']}，占 {percent(first['share'])}。",
    )


def _corporate_charts(status: Counter[str], vendors: Counter[str], n: int) -> tuple[Chart, ...]:
    y_name, parts = Text("share", "占比"), tuple(STATUS.items())
    shares = tuple((name, status[word] / n) for word, name in parts if status[word])
    standing = Chart(
        kind="share",
        title=Text(
            f"{percent(status['verified'] / max(n, 1))} of the accounts are verified",
            f"{percent(status['verified'] / max(n, 1))} 的企业账号认证有效",
        ),
        x=tuple(name for name, _ in shares),
        series=(Series(Text("accounts", "账号"), tuple(share for _, share in shares)),),
        x_name=Text("", ""),
        y_name=y_name,
        percent=True,
    )
    tools = _shares(vendors)[:10]
    shared = Chart(
        kind="bar",
        title=Text(
            f"{percent(tools[0]['share'])} of those with a tool use {tools[0]['vendor']}",
            f"使用第三方工具的账号中，{percent(tools[0]['share'])} 用{tools[0]['vendor']}",
        )
        if tools
        else Text("", ""),
        x=tuple(tool["vendor"] for tool in tools),
        series=(Series(Text("accounts", "账号"), tuple(t["share"] for t in tools)),),
        x_name=Text("tool", "工具"),
        y_name=y_name,
        percent=True,
        reference=(
            (0.55, Text("the study's leader: over 55%", "参考研究中的第一名：超过 55%")),
        ),
    )
    return (*((standing,) if n else ()), *((shared,) if tools else ()))


def _lapsed_table(rows: Mapping[int, Mapping[str, Any]], facts: Facts) -> tuple[Table, ...]:
    open_ones = [r for r in rows.values() if r["corporate"] in ("lapsed", "never")]
    ordered = sorted(
        open_ones, key=lambda r: (r["corporate"], r["name"] or "", r["sender_key"])
    )
    if not ordered:
        return ()
    cells = tuple(
        (_named(r, facts), _place(r, facts), STATUS[r["corporate"]], r["vendor"])
        for r in ordered[:ROWS]
    )
    columns = (
        Text("Account", "账号"),
        Text("Group", "群"),
        Text("Corporate", "企业认证"),
        Text("Tool", "工具"),
    )
    title = Text("Accounts without a valid verification", "没有有效认证的账号")
    return (Table(title, columns, cells, more=max(len(ordered) - ROWS, 0)),)


def _named(row: Mapping[str, Any], facts: Facts) -> Person:
    return Person(row["sender_key"], row["name"] or facts.person(row["sender_key"]).name)


def _place(row: Mapping[str, Any], facts: Facts) -> GroupName | Text:
    return facts.group(row["group_key"]) if row["group_key"] else Text("all", "全部")


def _renew(lapsed: int, n: int) -> Move | None:
    if not lapsed:
        return None
    en = f"Renew the verification of {many(lapsed, 'account')}: lapsed ones lose trust."
    zh = f"为 {lapsed:,} 个账号续认证：认证过期会损失信任。"
    return Move(Text(en, zh), min(0.15 + 0.5 * lapsed / n, 0.5))


CORPORATE_STANDING = Metric(
    id="I14",
    name=Text("Corporate accounts", "企业账号认证"),
    unit=Text("accounts", "个账号"),
    window=Text("as of the table given", "以所给表格为准"),
    definition=Text(
        "Accounts of the corporate table (or of the roster's corporate column) by standing: "
        "verified, lapsed, never; each account once, rows without a standing left out. Vendor "
        "share = accounts with this tool ÷ accounts with any tool named. The interval is "
        "Wilson's, of the verified share.",
        "企业信息表（或成员名册的认证列）中的账号按认证情况计数：已认证、过期、从未认证；"
        "每个账号计一次，未填认证的不计。工具占比 = 使用该工具的账号数 ÷ 填写了工具的账号数。"
        "区间为已认证占比的 Wilson 区间。",
    ),
    cubes=(CORPORATE,),
    summarise=_corporate,
    reference=Text(
        "278 verified, 81 lapsed, 3 never, of 362; the leading vendor over 55%",
        "362 个中：278 个已认证、81 个过期、3 个从未认证；第一大服务商超过 55%",
    ),
    needs=("corporate",),
)

METRICS: tuple[Metric, ...] = (BRAND_ACCOUNTS, CORPORATE_STANDING)
