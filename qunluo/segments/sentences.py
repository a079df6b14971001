"""A tree as people say it, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qunluo.kit.text import Text
from qunluo.members.rules import ALL
from qunluo.segments.rules import (
    All,
    Allows,
    Birthday,
    Came,
    Did,
    Either,
    Flagged,
    InSegment,
    Met,
    Near,
    Node,
    Not,
    OfField,
    Region,
    Seated,
    Spent,
    StandsAt,
    StandsIn,
    Tagged,
    Vocabulary,
)
from qunluo.standing.words import CIRCLE, FLAGS, LIFECYCLE, PHASE, TRUST

GONE = Text("(gone)", "（已删除）")
DEEDS: dict[str, Text] = {
    "said": Text("said something", "发言"),
    "reacted": Text("reacted to a message", "点赞或回应"),
    "joined": Text("joined a group", "入群"),
    "restored": Text("were let back in", "恢复入群"),
    "nicknamed": Text("set the group nickname", "修改群昵称"),
    "contacted": Text("left contact data", "留下联系方式"),
    "read": Text("read an item", "阅读内容"),
    "watched": Text("watched an item", "观看内容"),
    "attended": Text("attended a gathering", "参加活动"),
    "checked_in": Text("checked in", "打卡"),
    "paid": Text("bought", "购买"),
    "testified": Text("posted a testimony", "发布见证"),
    "wish_adopted": Text("had a wish adopted", "心愿被采纳"),
    "answer_accepted": Text("had an answer accepted", "回答被采纳"),
    "left": Text("left a group", "退群"),
    "removed": Text("were removed from a group", "被移出群"),
    "closed": Text("were in a group that closed", "所在群解散"),
    "reacted_to": Text("got a reaction", "收到回应"),
    "greeted": Text("answered the welcome", "回应欢迎语"),
    "staffed": Text("talked with the staff", "与工作人员交流"),
    "refunded": Text("were refunded", "退款"),
}
"""What members did, after “who …”; the kinds of `standing.facts`."""
MEASURES: dict[str, Text] = {
    "trust": Text("trust", "信任阶段"), "level": Text("intimacy level", "亲密度等级"),
    "intimacy": Text("intimacy points", "亲密度积分"), "recency": Text("recency class", "R 值"),
    "frequency": Text("frequency class", "F 值"), "monetary": Text("monetary class", "M 值"),
    "product": Text("product value", "产品价值"), "bringing": Text("bringing value", "拉新价值"),
    "content": Text("content value", "内容价值"), "revenue": Text("revenue value", "营收价值"),
    "churn": Text("churn risk", "流失风险"), "orders": Text("orders", "订单数"),
}  # fmt: skip
_VALUES = {"lifecycle": LIFECYCLE, "phase": PHASE, "circle": CIRCLE}
_PHASE_EN = {"ripen": "to be ripened", "extend": "to be extended", "win_back": "to be won back"}
_CIRCLE_EN = {
    "core": "in the core circle", "influence": "in the influence circle",
    "periphery": "in the periphery",
}  # fmt: skip
UTM_NAMES: dict[str, Text] = {
    "source": Text("source", "来源"), "medium": Text("medium", "媒介"),
    "campaign": Text("campaign", "活动"), "term": Text("term", "关键词"),
    "content": Text("content", "创意"),
}  # fmt: skip
"""Parts of a campaign's address."""
PURPOSE_NAMES: dict[str, Text] = {
    "service": Text("service messages", "服务消息"),
    "marketing": Text("offers", "营销消息"),
    "analysis": Text("being counted", "数据分析"),
    "location": Text("keeping their place", "保存位置"),
}
"""What members allow or refuse."""
_FLAGGED_EN = {
    "refunded": "got money back", "left": "left a group",
    "removed": "were removed from a group",
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def sentence(node: Node, vocabulary: Vocabulary) -> Text:
    """The whole: “Members who are silent and bought at least once in the last 90 days.”"""
    said = phrase(node, vocabulary)
    return Text("Members who {it}.", "{it}的成员。").format(it=said)


def phrase(node: Node, vocabulary: Vocabulary, *, no: bool = False) -> Text:
    """What follows “who”; `no` says the opposite."""
    if isinstance(node, Not):
        return phrase(node.part, vocabulary, no=not no)
    if isinstance(node, All | Either):
        return _together(node, vocabulary, no)
    sayer = _SAYERS.get(type(node))
    if sayer is None:
        return Text("are anybody", "任意") if no else Text("are nobody", "不存在")
    return sayer(node, vocabulary, no)


def _together(node: All | Either, vocabulary: Vocabulary, no: bool) -> Text:
    """Not (a and b) is said as: not a or not b."""
    every = isinstance(node, All) != no
    said = [_inner(part, vocabulary, no, every) for part in node.parts]
    if len(said) == 1:
        return said[0]
    word = Text("and", "且") if every else Text("or", "或")
    comma = ", " if every else " "
    en = comma.join(t.en for t in said[:-1]) + f" {word.en} {said[-1].en}"
    return Text(en, f"，{word.zh}".join(t.zh for t in said))


def _inner(part: Node, vocabulary: Vocabulary, no: bool, every: bool) -> Text:
    said = phrase(part, vocabulary, no=no)
    flip = no
    while isinstance(part, Not):
        part, flip = part.part, not flip
    mixed = isinstance(part, All | Either) and len(part.parts) > 1
    if mixed and (isinstance(part, All) != flip) != every:
        return Text("({it})", "（{it}）").format(it=said)
    return said


def _be(no: bool) -> Text:
    return Text("are not", "不是") if no else Text("are", "是")


def _have(no: bool) -> Text:
    return Text("do not have", "没有") if no else Text("have", "有")


def _or(words: list[Text]) -> Text:
    return Text(" or ".join(w.en for w in words), "或".join(w.zh for w in words))


def _stands_in(node: StandsIn, vocabulary: Vocabulary, no: bool) -> Text:
    names = _VALUES[node.name]
    english = {"phase": _PHASE_EN, "circle": _CIRCLE_EN}.get(node.name)
    words = _or(
        [
            Text(english[value] if english else names[value].en, names[value].zh)
            for value in node.values
        ]
    )
    lead = {"lifecycle": "生命周期", "phase": "运营阶段", "circle": "圈层"}[node.name]
    return Text(f"{_be(no).en} {words.en}", f"{lead}{'不是' if no else '为'}{words.zh}")


def _stands_at(node: StandsAt, vocabulary: Vocabulary, no: bool) -> Text:
    name, value = MEASURES[node.name], Text(str(node.value), str(node.value))
    if node.name == "trust":
        value = Text(f"{node.value} ({TRUST[node.value].en})",
                     f"{node.value}（{TRUST[node.value].zh}）")  # fmt: skip
    how = _COMPARED[node.op]
    zh = f"{'并非' if no else ''}{name.zh}{how.zh}{value.zh}"
    return Text(f"{_have(no).en} {name.en} {how.en} {value.en}", zh)


def _flagged(node: Flagged, vocabulary: Vocabulary, no: bool) -> Text:
    words = _or([Text(_FLAGGED_EN[risk], FLAGS[risk].zh) for risk in node.risks])
    return Text(f"{'did not show that they' if no else 'showed that they'} {words.en}",
                f"风险提示{'不含' if no else '含'}{words.zh}")  # fmt: skip


def _came(node: Came, vocabulary: Vocabulary, no: bool) -> Text:
    lead = Text(
        "did not first come" if no else "first came", "首次来源不是" if no else "首次来源为"
    )
    return Text(
        f"{lead.en} {_way(node, vocabulary).en}", f"{lead.zh}{_way(node, vocabulary).zh}"
    )


def _way(node: Came, vocabulary: Vocabulary) -> Text:
    if node.by == "inviter":
        return Text("by a member's invitation", "成员邀请")
    if node.by == "nothing":
        return Text("by themselves", "自然到来")
    if node.by == "code":
        name = vocabulary.codes.get(int(node.value))
        shown = Text(name, name) if name else GONE
        return Text("by the channel code {name}", "渠道码“{name}”").format(name=shown)
    part = UTM_NAMES[node.key]
    return Text("by the {part} “{name}”", "{part}“{name}”").format(
        part=part, name=str(node.value)
    )


def _allows(node: Allows, vocabulary: Vocabulary, no: bool) -> Text:
    what = PURPOSE_NAMES[node.purpose]
    where = (
        Text("", "")
        if node.channel == ALL
        else Text(f" on {node.channel}", f"在 {node.channel} 上")
    )
    return Text(f"{'do not allow' if no else 'allow'} {what.en}{where.en}",
                f"{where.zh}{'未允许' if no else '允许'}{what.zh}")  # fmt: skip


_COMPARED = {
    ">=": Text("of at least", "至少 "), "<=": Text("of at most", "至多 "),
    "=": Text("of exactly", "等于 "),
}  # fmt: skip


def _did(node: Did, vocabulary: Vocabulary, no: bool) -> Text:
    deed, when = DEEDS[node.kind], _when(node.days)
    least = node.at_least
    if node.at_most is not None:  # at most n is: not at least n + 1
        least, no = node.at_most + 1, not no
    assert least is not None  # noqa: S101 - one of both is there
    if no and least == 1:
        return Text(f"never {deed.en}{when.en}", f"{when.zh}没有{deed.zh}")
    if no:
        return Text(f"{deed.en} at most {_times(least - 1)}{when.en}",
                    f"{when.zh}{deed.zh}至多 {least - 1} 次")  # fmt: skip
    return Text(
        f"{deed.en} at least {_times(least)}{when.en}", f"{when.zh}{deed.zh}至少 {least} 次"
    )


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def _when(days: int | None) -> Text:
    if days is None:
        return Text("", "曾")
    if days == 1:
        return Text(" today", "今天")
    return Text(f" in the last {days} days", f"最近 {days} 天")


def _money(minor: int) -> str:
    return f"{minor // 100:,}" + (f".{minor % 100:02}" if minor % 100 else "")


def _spent(node: Spent, vocabulary: Vocabulary, no: bool) -> Text:
    when = _when(node.days)
    ever = Text(when.en, "累计" if node.days is None else when.zh)
    if node.high is None:
        much = Text(f"at least {_money(node.low or 0)}", f"至少 {_money(node.low or 0)}")
    elif node.low is None:
        much = Text(f"at most {_money(node.high)}", f"至多 {_money(node.high)}")
    else:
        much = Text(f"between {_money(node.low)} and {_money(node.high)}",
                    f"在 {_money(node.low)} 到 {_money(node.high)} 之间")  # fmt: skip
    verb = Text("did not spend", "消费并非") if no else Text("spent", "消费")
    return Text(f"{verb.en} {much.en}{ever.en}", f"{ever.zh}{verb.zh}{much.zh}")


def _tagged(node: Tagged, vocabulary: Vocabulary, no: bool) -> Text:
    name = vocabulary.tags.get(node.tag)
    shown = Text(name, name) if name else GONE
    return Text("{have} the tag {name}", "{have}标签“{name}”").format(
        have=Text(_have(no).en, "没有" if no else "带有"), name=shown
    )


def _seated(node: Seated, vocabulary: Vocabulary, no: bool) -> Text:
    name = vocabulary.groups.get(node.group)
    shown = Text(name, name) if name else GONE
    if node.ever:
        words = Text("{was} in the group {name}", "{was}加入过“{name}”")
        return words.format(was=Text("were never", "从未") if no else Text("were once", "曾"),
                            name=shown)  # fmt: skip
    words = Text("{are} in the group {name}", "{are}“{name}”群中")
    return words.format(are=Text(_be(no).en, "不在" if no else "在"), name=shown)


def _near(node: Near, vocabulary: Vocabulary, no: bool) -> Text:
    here = f"{node.lat:g}, {node.lon:g}"
    name = node.place or here
    away = Text("are not known to be within {km} km of {name}", "不在{name} {km} 公里范围内")
    close = Text("are within {km} km of {name}", "在{name} {km} 公里范围内")
    return (away if no else close).format(km=f"{node.km:g}", name=name)


def _region(node: Region, vocabulary: Vocabulary, no: bool) -> Text:
    if node.op == "set":
        return Text(f"{_have(no).en} a known region", f"{'未' if no else '已'}填写地区")
    if node.op == "is":
        return Text(f"{'do not live' if no else 'live'} in {node.value}",
                    f"地区{'不是' if no else '是'}“{node.value}”")  # fmt: skip
    return Text(f"{_have(no).en} “{node.value}” in their region",
                f"地区{'不' if no else ''}包含“{node.value}”")  # fmt: skip


def _birthday(node: Birthday, vocabulary: Vocabulary, no: bool) -> Text:
    when = (
        Text(f"in {_MONTHS[node.value - 1]}", f"在 {node.value} 月") if node.op == "month"
        else Text(f"in the next {node.value} days", f"在未来 {node.value} 天内")
    )  # fmt: skip
    return Text(
        f"{_have(no).en} their birthday {when.en}", f"生日{'不' if no else ''}{when.zh}"
    )


def _met(node: Met, vocabulary: Vocabulary, no: bool) -> Text:
    late = (node.op == "within") != no
    if late:
        return Text(f"came in the last {node.value} days", f"最近 {node.value} 天内新来")
    return Text(f"came more than {node.value} days ago", f"{node.value} 天以前就已来到")


def _of_field(node: OfField, vocabulary: Vocabulary, no: bool) -> Text:
    known = vocabulary.fields.get(node.key)
    label = known.label if known else node.key
    if node.op == "set":
        return Text(f"{_have(no).en} a known {label}", f"{'未' if no else '已'}填写“{label}”")
    how = _FIELD_OPS[node.op]
    if known and known.kind == "date":
        how = _DATE_OPS[node.op]
    value = _value(node.value)
    zh = f"“{label}”{'并非' if no else ''}{how.zh}{value.zh}"
    return Text(f"{_have(no).en} {label} {how.en} {value.en}", zh)


def _value(value: Any) -> Text:
    if isinstance(value, bool):
        return Text("yes", "是") if value else Text("no", "否")
    if isinstance(value, float):
        return Text(f"{value:.15g}", f"{value:.15g}")
    return Text(f"“{value}”", f"“{value}”")


_FIELD_OPS = {
    "is": Text("=", "为"), "contains": Text("with", "包含"), "=": Text("=", "等于 "),
    ">=": Text("of at least", "至少 "), "<=": Text("of at most", "至多 "),
}  # fmt: skip
_DATE_OPS = {
    "=": Text("on", "为"), ">=": Text("on or after", "不早于"), "<=": Text("on or before", "不晚于"),
}  # fmt: skip


def _segment(node: InSegment, vocabulary: Vocabulary, no: bool) -> Text:
    found = vocabulary.segments.get(node.segment)
    shown = Text(found[0], found[0]) if found else GONE
    return Text("{are} in “{name}”", "{are}人群“{name}”").format(
        are=Text(_be(no).en, "不属于" if no else "属于"), name=shown
    )


_SAYERS: dict[type, Callable[[Any, Vocabulary, bool], Text]] = {
    StandsIn: _stands_in, StandsAt: _stands_at, Did: _did, Spent: _spent, Tagged: _tagged,
    Seated: _seated, Near: _near, Region: _region, Birthday: _birthday, Met: _met,
    OfField: _of_field, InSegment: _segment, Flagged: _flagged, Came: _came, Allows: _allows,
}  # fmt: skip
