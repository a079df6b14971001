"""People behind accounts: changed names, bridged users and bots, each with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from qunluo.insight.figures import Cube, Facts, Finding, Metric, Move, Table
from qunluo.insight.identities import (
    BRIDGED,
    Carried,
    Change,
    Link,
    bridged,
    links,
    looks_like_bot,
    persons,
)
from qunluo.insight.metrics.phrases import many, nothing
from qunluo.insight.metrics.study_cubes import SPEAKERS, column, sums, where
from qunluo.kit.text import Text

ROWS = 40
LOUDEST = 5_000  # members whose names are looked at for bots

REASONS = {
    "same_stem": Text("same name apart from its ending", "名字仅尾部不同"),
    "changed_often": Text("changed between them repeatedly", "多次互相改名"),
    "changed_once": Text("changed once, names differ", "仅改名一次且名字不同"),
    "too_many": Text("too many names in one chain", "同一链条名字过多"),
    "shared_name": Text("a name that anybody gets", "人人可用的临时名"),
}
SURE = {"joined": Text("one person", "同一人"), "possible": Text("perhaps", "可能")}


def _renames(t: Any) -> Any:
    changed = t.events.filter(
        (t.events.kind == "rename")
        & t.events.subject_key.notnull()
        & t.events.new_name.notnull()
    )
    known = t.accounts.group_by("sender_id").agg(new_key=lambda a: a.sender_key.min())
    both = changed.inner_join(known, changed.new_name == known.sender_id)
    return (
        both.filter(both.new_key != both.subject_key)
        .group_by(["subject_key", "new_key"])
        .agg(
            n=lambda r: r.count(),
            first_at=lambda r: r.local_at.min(),
            last_at=lambda r: r.local_at.max(),
        )
    )


RENAMES = Cube("renames", _renames)
"""subject_key, new_key, n, first_at, last_at: changes to a name that is itself an account's id
(where ids are stable, as in most apps, a new name joins nobody)."""


def _carried(t: Any) -> Any:
    rows = t.messages.filter(t.messages.text.contains("<"))
    named = rows.mutate(name=rows.text.re_extract(BRIDGED, 1))
    return (
        named.filter(named.name.notnull() & (named.name != ""))
        .group_by(["sender_key", "name"])
        .agg(n=lambda r: r.count())
        .filter(lambda r: r.n >= 2)
    )


CARRIED = Cube("carried", _carried)
"""sender_key, name, n: messages an account wrote as `<name> …`, at least two each."""


@dataclass(frozen=True)
class People:
    """Accounts that write, what joins them, who is bridged, and members named like bots."""

    accounts: int
    links: list[Link]
    bridged: list[Carried]
    bots: list[tuple[int, int]]  # account, messages; classed as members

    @property
    def joined(self) -> int:
        """Accounts that a person has beside another one."""
        person = persons(self.links)
        return len(person) - len(set(person.values()))


def people_of(cubes: Mapping[str, pa.Table], facts: Facts) -> People:
    """Only links between two accounts that both wrote are counted."""
    speakers = facts.accounts(cubes[SPEAKERS.name])
    written = sums(column(speakers, "sender_key"), column(speakers, "n"))
    changes = [
        Change(r["subject_key"], r["new_key"], r["n"], str(r["first_at"]), str(r["last_at"]))
        for r in cubes[RENAMES.name].to_pylist()
        if r["subject_key"] in written and r["new_key"] in written
    ]
    named = {key for change in changes for key in (change.old, change.new)}
    names = {key: facts.person(key).name for key in sorted(named)}
    carried = [
        Carried(r["sender_key"], r["name"], r["n"]) for r in cubes[CARRIED.name].to_pylist()
    ]
    return People(
        len(written), links(changes, names), bridged(carried, written), _bots(speakers, facts)
    )


def _bots(speakers: pa.Table, facts: Facts) -> list[tuple[int, int]]:
    """Of the most talkative members: a bot that hardly writes does no harm to a figure."""
    members = where(speakers, "class", "member")
    totals = sums(column(members, "sender_key"), column(members, "n"))
    loudest = sorted(totals.items(), key=lambda row: (-row[1], row[0]))[:LOUDEST]
    return [(key, n) for key, n in loudest if looks_like_bot(facts.person(key).name)]


def _people(cubes: Mapping[str, pa.Table], facts: Facts) -> Finding:
    found = people_of(cubes, facts)
    if not found.accounts:
        return Finding({}, 0, nothing("nobody wrote", "无人发言"))
    sure = sum(link.sure == "joined" for link in found.links)
    return Finding(
        value={
            "accounts": found.accounts,
            "persons": found.accounts - found.joined,
            "links": {"joined": sure, "possible": len(found.links) - sure},
            "bridged": len(found.bridged),
            "bots_among_members": len(found.bots),
        },
        n=found.accounts,
        sentence=_sentence(found),
        tables=_tables(found, facts),
        notes=(_COUNTED,),
        move=_move(found),
    )


def _sentence(found: People) -> Text:
    people = found.accounts - found.joined
    extra = Text(
        f" {many(len(found.bridged), 'more person writes', 'more people write')} through a "
        "bridge."
        if found.bridged
        else "",
        f"另有 {len(found.bridged):,} 人通过桥接发言。" if found.bridged else "",
    )
    if not found.joined:
        return Text(
            f"{many(found.accounts, 'account')} wrote; nothing shows that two of them are one "
            f"person.{extra.en}",
            f"共有 {found.accounts:,} 个账号发言；没有证据表明其中有人使用多个账号。{extra.zh}",
        )
    return Text(
        f"{many(found.accounts, 'account')} wrote; they are at most "
        f"{many(people, 'person', 'people')}: "
        f"{many(found.joined, 'is a second name', 'are second names')} "
        f"by evidence.{extra.en}",
        f"共有 {found.accounts:,} 个账号发言，至多 {people:,} 人：有证据表明 "
        f"{found.joined:,} 个是别名。{extra.zh}",
    )


def _tables(found: People, facts: Facts) -> tuple[Table, ...]:
    return (
        _link_table(found.links, facts),
        _bridge_table(found, facts),
        _bot_table(found, facts),
    )


def _link_table(shown: list[Link], facts: Facts) -> Table:
    order = sorted(shown, key=lambda k: (k.sure != "joined", -k.n, k.a, k.b))
    return Table(
        title=Text("Accounts that may be one person", "可能属于同一人的账号"),
        columns=(
            Text("Account", "账号"),
            Text("Account", "账号"),
            Text("Changes", "改名次数"),
            Text("Held to be", "判断"),
            Text("Because", "依据"),
        ),
        rows=tuple(
            (facts.person(k.a), facts.person(k.b), k.n, SURE[k.sure], REASONS[k.reason])
            for k in order[:ROWS]
        ),
        more=max(len(order) - ROWS, 0),
    )


def _bridge_table(found: People, facts: Facts) -> Table:
    """How much each bridge carries; the names carried are no accounts and stay out."""
    people: dict[int, int] = {}
    messages: dict[int, int] = {}
    for one in found.bridged:
        people[one.bridge] = people.get(one.bridge, 0) + 1
        messages[one.bridge] = messages.get(one.bridge, 0) + one.n
    return Table(
        title=Text("Bridges", "桥接账号"),
        columns=(
            Text("Account", "账号"),
            Text("People carried", "代发人数"),
            Text("Messages", "消息数"),
        ),
        rows=tuple((facts.person(b), n, messages[b]) for b, n in sorted(people.items())),
    )


def _bot_table(found: People, facts: Facts) -> Table:
    return Table(
        title=Text("Members named like bots", "名字像机器人的成员"),
        columns=(Text("Account", "账号"), Text("Messages", "消息数")),
        rows=tuple((facts.person(key), n) for key, n in found.bots[:ROWS]),
        more=max(len(found.bots) - ROWS, 0),
    )


_COUNTED = Text(
    "Other figures count accounts, not people: joining is shown here, not applied.",
    "其他指标按账号而非按人统计：此处只展示判断，不作合并。",
)


def _move(found: People) -> Move | None:
    if not found.bots:
        return None
    return Move(
        Text(
            f"{many(len(found.bots), 'account')} named like a bot counted as members: list "
            "them "
            "with role bot in the staff file, so that figures about members are right.",
            f"有 {len(found.bots):,} 个名字像机器人的账号被计为成员："
            "请在员工名单中标为机器人，成员指标才准确。",
        ),
        weight=0.5,
    )


PEOPLE = Metric(
    id="people",
    name=Text("People behind accounts", "账号背后的人"),
    unit=Text("accounts and people", "账号与人"),
    window=Text("the whole archive", "整个存档"),
    definition=Text(
        "Accounts that wrote. Two are one person if a change of name links them and their "
        "names "
        "are the same apart from case, trailing marks, digits or “away”, or they changed into "
        "each other at least twice; once with different names is only possible, as are guest "
        "names and chains of more than eight. A bridge writes “<name> …” in at least half of "
        "its messages, at least 20, for two people or more. Bots among members: by name.",
        "发过言的账号。若改名记录将两账号相连，且名字仅大小写、尾部符号、数字或 away 不同，"
        "或互相改名至少两次，则视为同一人；"
        "仅改名一次且名字不同、访客名、超过八个名字的链条只算可能。桥接：至少一半且至少 20 "
        "条消息形如“<名字> …”，"
        "代至少两人发言。成员中的机器人按名字判断。",
    ),
    cubes=(SPEAKERS, RENAMES, CARRIED),
    summarise=_people,
)

METRICS: tuple[Metric, ...] = (PEOPLE,)
