"""Who may come in, and where somebody goes. Pure: values in, a decision out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, get_args

from qunluo.groups.errors import WrongGateError
from qunluo.groups.nicknames import parse_nickname
from qunluo.kit.text import Text

__all__ = ["parse_nickname"]

GateKind = Literal["open", "approval", "invited", "tag", "near", "plan", "level", "segment"]
GATES: tuple[GateKind, ...] = get_args(GateKind)
SUCCESSOR_AT = Fraction(9, 10)  # full to this part, a group opens the next one
EARTH_KM = 6371.0088
GOODBYE_PART = 10  # a group of hours says goodbye a tenth of its life


@dataclass(frozen=True)
class Applicant:
    """What gates and routing know of somebody."""

    member_id: int = 0
    tags: frozenset[int] = frozenset()
    lat: float | None = None
    lon: float | None = None
    invited_by: int | None = None  # a member
    plans: frozenset[str] = frozenset()  # paid
    level: int = 0  # of intimacy
    segments: frozenset[int] = frozenset()  # that they are in now
    approved: bool = False


@dataclass(frozen=True)
class GateVerdict:
    """Whether somebody may come in; `why` says what would admit them where they may not.

    `waits` is true where only a person's approval is missing.
    """

    admitted: bool
    why: Text
    waits: bool = False


_Judge = Callable[[dict[str, Any], Applicant], GateVerdict]


def judge_gate(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    """A gate's answer. No gate is an open one; an unknown kind raises `WrongGateError`."""
    kind = gate.get("kind", "open")
    if kind not in _JUDGES:
        raise WrongGateError(reason=_UNKNOWN.format(kind=kind))
    return _JUDGES[kind](gate, applicant)


def check_gate(gate: dict[str, Any]) -> dict[str, Any]:
    """The gate, where everything that it judges by is there; raises `WrongGateError`."""
    kind = gate.get("kind", "open")
    if kind not in _JUDGES:
        raise WrongGateError(reason=_UNKNOWN.format(kind=kind))
    needs = _NEEDS.get(kind, ())
    missing = [name for name in needs if gate.get(name) in (None, "", [])]
    if missing:
        raise WrongGateError(reason=_MISSING.format(names=", ".join(missing)))
    if any(isinstance(gate[n], bool) or not isinstance(gate[n], int | float)
           for n in needs if n in ("lat", "lon", "km", "level", "segment")):  # fmt: skip
        raise WrongGateError(reason=_NUMBERS)
    return gate


_UNKNOWN = Text("there is no gate “{kind}”.", "没有“{kind}”这种条件。")
_MISSING = Text("it lacks {names}.", "缺少 {names}。")
_NUMBERS = Text("lat, lon, km and level must be numbers.", "lat、lon、km 和 level 必须是数字。")
_NEEDS: dict[str, tuple[str, ...]] = {
    "tag": ("tags",), "near": ("lat", "lon", "km"), "plan": ("plan",), "level": ("level",),
    "segment": ("segment",),
}  # fmt: skip


def _open(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    return GateVerdict(True, Text("Everybody may come in.", "所有人都可以加入。"))


def _approval(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    if applicant.approved:
        return GateVerdict(True, Text("The team has approved it.", "工作人员已通过申请。"))
    why = Text(
        "Somebody of the team looks at every request here. Send yours, and wait for the answer.",
        "本群需要审核，请提交申请并等待工作人员通过。",
    )
    return GateVerdict(False, why, waits=True)


def _invited(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    if applicant.invited_by is not None:
        return GateVerdict(True, Text("Invited by a member.", "由群成员邀请。"))
    return GateVerdict(
        False,
        Text(
            "Members bring new members here. Ask a member for their own invite link and open it.",
            "本群仅限成员邀请加入，请向群成员索取专属邀请链接后打开。",
        ),
    )


def _tag(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    names = ", ".join(map(str, gate.get("names") or [])) or "?"
    if applicant.tags & set(gate.get("tags", ())):
        return GateVerdict(True, Text("Has the tag it asks for.", "具备所需标签。"))
    why = Text(
        "This group is for people with the tag {names}. Tell the team if that is you, and they "
        "set it.",
        "本群面向带有“{names}”标签的成员。如果符合，请联系工作人员添加标签。",
    )
    return GateVerdict(False, why.format(names=names))


def _near(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    away = distance_km(gate.get("lat"), gate.get("lon"), applicant.lat, applicant.lon)
    store = str(gate.get("store") or "").strip()
    place = Text(store or "the store", store or "门店")
    data: dict[str, Any] = {"km": f"{gate.get('km', 0):g}", "place": place}
    if away is None:
        return GateVerdict(False, _UNPLACED.format(**data))
    data["away"] = f"{away:.1f}"
    if away <= gate.get("km", 0):
        return GateVerdict(True, _CLOSE.format(**data))
    return GateVerdict(False, _FAR.format(**data))


_UNPLACED = Text(
    "This group is for people within {km} km of {place}. Share where you are, and it opens.",
    "本群面向距离{place} {km} 公里以内的成员，授权位置后即可加入。",
)
_CLOSE = Text("{away} km from {place}.", "距离{place} {away} 公里。")
_FAR = Text(
    "This group is for people within {km} km of {place}; you are {away} km away. Ask the team "
    "for the group of a store near you.",
    "本群面向距离{place} {km} 公里以内的成员，你目前距离 {away} 公里，可向工作人员询问附近门店的群。",
)


def _plan(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    plan = str(gate.get("plan", ""))
    if plan in applicant.plans:
        return GateVerdict(
            True, Text("Has the plan {plan}.", "已开通{plan}。").format(plan=plan)
        )
    why = Text(
        "This group belongs to the paid plan “{plan}”. With the plan it opens at once.",
        "本群属于付费方案“{plan}”，开通后即可加入。",
    )
    return GateVerdict(False, why.format(plan=plan))


def _level(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    wanted, name = int(gate.get("level") or 0), str(gate.get("name") or "")
    data = {"wanted": wanted, "name": f" ({name})" if name else "", "level": applicant.level}
    if applicant.level >= wanted:
        return GateVerdict(True, Text("Level {level}.", "等级 {level}。").format(**data))
    why = Text(
        "This group opens at level {wanted}{name}; yours is {level}. Check in, comment and take "
        "part to climb.",
        "本群需要亲密度等级 {wanted}{name}，你目前是 {level} 级。签到、评论、参与活动即可升级。",
    )
    return GateVerdict(False, why.format(**data))


def _segment(gate: dict[str, Any], applicant: Applicant) -> GateVerdict:
    name = str(gate.get("name") or "?")
    if gate.get("segment") in applicant.segments:
        return GateVerdict(
            True, Text("Is one of “{name}”.", "属于“{name}”。").format(name=name)
        )
    why = Text(
        "This group is for “{name}”. Tell the team if that is you, and they look at it.",
        "本群面向“{name}”。如果符合，请联系工作人员核实。",
    )
    return GateVerdict(False, why.format(name=name))


_JUDGES: dict[str, _Judge] = {
    "open": _open, "approval": _approval, "invited": _invited, "tag": _tag, "near": _near,
    "plan": _plan, "level": _level, "segment": _segment,
}  # fmt: skip


def distance_km(
    lat: float | None, lon: float | None, lat2: float | None, lon2: float | None
) -> float | None:
    """The way between two places as the crow flies (haversine); None where one is unknown."""
    if lat is None or lon is None or lat2 is None or lon2 is None:
        return None
    a, b, c, d = (math.radians(x) for x in (lat, lon, lat2, lon2))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, h)))


# where somebody goes


@dataclass(frozen=True)
class Option:
    """A group somebody might go to."""

    group_id: int
    name: str
    gate: dict[str, Any] = field(default_factory=dict)
    tags: frozenset[int] = frozenset()
    lat: float | None = None
    lon: float | None = None
    taken: int = 0
    capacity: int = 200


@dataclass(frozen=True)
class Route:
    """The best group and why; `waits` where its gate still asks for approval."""

    group_id: int
    reasons: tuple[Text, ...]
    waits: bool = False


@dataclass(frozen=True)
class Refusal:
    """No group admits them; one reason each, in the order of the groups' ids."""

    reasons: tuple[Text, ...]


@dataclass(frozen=True)
class _Judged:
    option: Option
    verdict: GateVerdict
    away: float | None
    common: int

    @property
    def rank(self) -> tuple[bool, float, int, Fraction, int]:
        """Lower is better: gate passed, nearest, most matching tags, least full, oldest."""
        away = math.inf if self.away is None else self.away
        fill = Fraction(self.option.taken, max(self.option.capacity, 1))
        return (self.verdict.waits, away, -self.common, fill, self.option.group_id)


def plan_route(options: Iterable[Option], applicant: Applicant) -> Route | Refusal:
    """Gate passed → nearest → most matching tags → least full; ties by id. The order in which
    the options come makes no difference."""
    judged = [_judge(o, applicant) for o in sorted(options, key=lambda o: o.group_id)]
    open_to = [j for j in judged if (j.verdict.admitted or j.verdict.waits) and _has_room(j)]
    if not open_to:
        return Refusal(tuple(_refusal(j) for j in judged))
    best = min(open_to, key=lambda j: j.rank)
    return Route(best.option.group_id, tuple(_reasons(best)), best.verdict.waits)


def _judge(option: Option, applicant: Applicant) -> _Judged:
    away = distance_km(option.lat, option.lon, applicant.lat, applicant.lon)
    verdict = judge_gate(option.gate, applicant)
    return _Judged(option, verdict, away, len(option.tags & applicant.tags))


def _has_room(judged: _Judged) -> bool:
    return judged.option.taken < judged.option.capacity


def _refusal(judged: _Judged) -> Text:
    name = judged.option.name
    full = Text("It is full.", "已满员。")
    refused = not (judged.verdict.admitted or judged.verdict.waits)
    why = judged.verdict.why if refused else full
    return Text("“{name}”: {why}", "“{name}”：{why}").format(name=name, why=why)


def _reasons(judged: _Judged) -> list[Text]:
    option, found = judged.option, [judged.verdict.why]
    if judged.away is not None:
        near = Text("The nearest: {km} km away.", "距离最近：{km} 公里。")
        found.append(near.format(km=f"{judged.away:.1f}"))
    if judged.common:
        tags = Text("Shares {n} of your tags.", "与你有 {n} 个相同标签。")
        found.append(tags.format(n=judged.common))
    seats = Text("{taken} of {capacity} seats are taken.", "{capacity} 个席位已占 {taken} 个。")
    return [*found, seats.format(taken=option.taken, capacity=option.capacity)]


def wants_successor(taken: int, capacity: int) -> bool:
    """Whether the next group should open."""
    return Fraction(taken, max(capacity, 1)) >= SUCCESSOR_AT


# the life of a group

NEXT: dict[str, Text] = {
    "setup": Text(
        "Bring in the first true members, then open it.", "先邀请第一批种子成员，再对外开放。"
    ),
    "growing": Text(
        "Share the join link where your customers are, and greet who comes.",
        "把入群链接放到客户常见的地方，并欢迎新成员。",
    ),
    "mature": Text(
        "Keep the rhythm; give active members a task of their own.",
        "保持节奏，给活跃成员安排专属任务。",
    ),
    "silent": Text(
        "Ask one question that is easy to answer, or close it with thanks.",
        "抛出一个容易回答的问题；若仍无反应，就体面地收尾。",
    ),
    "closing": Text(
        "Say goodbye, export what matters and invite people onward.",
        "做好告别，导出重要内容，邀请大家前往下一个群。",
    ),
    "dissolved": Text(
        "Read its report: what carries over?", "查看复盘报告：哪些经验可以沿用？"
    ),
}
SILENT_DAYS = 14
MATURE_AT = Fraction(1, 2)


def judge_state(state: str, *, taken: int, capacity: int, quiet_days: float) -> str:
    """The state a running group is in: silent after 14 days without a word, mature from half
    full on. Setup ends with the first member; closing and dissolved stay."""
    if state in ("closing", "dissolved") or (state == "setup" and not taken):
        return state
    if quiet_days >= SILENT_DAYS:
        return "silent"
    return "mature" if Fraction(taken, max(capacity, 1)) >= MATURE_AT else "growing"
