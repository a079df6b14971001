"""What a mechanic's rules ask for, as parts of a form: each field of its typed rules becomes one
parameter with its words, unit and limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from qunluo.campaigns.mechanics.kernel import CENT, Frozen
from qunluo.campaigns.registry import find_mechanic
from qunluo.kit.text import Text

MOST_ROWS = 20
KINDS = ("money", "span", "whole", "yes", "sku", "skus", "text", "choice", "zone", "moment", "day",
         "rows", "reward", "list", "what", "worth")  # fmt: skip
# words of fields that say none of their own
KNOWN: dict[str, Text] = {
    "sku": Text("Product", "商品"), "price_minor": Text("Price", "价格"),
    "off_minor": Text("Amount off", "减多少"), "people": Text("People", "人数"),
    "reward": Text("Reward", "奖励"), "rewards": Text("Rewards", "奖励"),
    "name": Text("Name", "名称"), "stock": Text("How many", "数量"),
    "weight": Text("Weight", "权重"), "amount": Text("Amount", "数量"),
    "invites": Text("Friends", "邀请人数"), "pieces": Text("Pieces", "件数"),
    "days": Text("Days", "天数"), "helps": Text("Helps", "助力数"),
    "rank": Text("Rank", "名次"), "first": Text("From rank", "起始名次"),
    "last": Text("To rank", "截止名次"),
    "quantity": Text("Pieces", "件数"), "title": Text("Title", "名称"),
    "tiers": Text("Tiers", "阶梯"), "prizes": Text("Prizes", "奖品"),
}  # fmt: skip
SUFFIX: dict[str, Text] = {
    "member": Text("members", "人"), "piece": Text("pieces", "件"), "percent": Text("%", "%"),
    "day": Text("days", "天"), "hour": Text("hours", "小时"), "second": Text("seconds", "秒"),
    "points": Text("points", "积分"), "time": Text("times", "次"),
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """One field: `kind` is one of `KINDS`; `parts` are those of a row of `rows`, or what a
    `list` repeats. `single`: its rows are one part, that may be left out."""

    name: str
    kind: str
    title: Text
    gist: Text
    unit: str = ""
    required: bool = False
    usual: Any = None
    least: int | None = None
    most: int | None = None
    length: int = 200
    choices: tuple[str, ...] = ()
    parts: tuple[Parameter, ...] = ()
    fewest_rows: int = 0
    most_rows: int = MOST_ROWS
    single: bool = False

    @property
    def suffix(self) -> Text | None:
        return SUFFIX.get(self.unit)


class UnknownFieldError(TypeError):
    """Rules have a field that no form can ask for yet."""


@cache
def parameters_of(mechanic: str) -> tuple[Parameter, ...]:
    """The parameters of a mechanic's rules, in their order."""
    return describe(find_mechanic(mechanic).rules)


@cache
def describe(rules: type[Frozen]) -> tuple[Parameter, ...]:
    """Raises `UnknownFieldError`."""
    found = [_parameter(name, field) for name, field in rules.model_fields.items()]
    if "unit" in rules.model_fields:
        found = [_of_unit(parameter) for parameter in found]
    return tuple(found)


def _of_unit(parameter: Parameter) -> Parameter:
    """Beside a field `unit`, which says what it is, an amount is money or a count by it."""
    counts = parameter.unit == "unit" or parameter.name == "amount"
    if parameter.kind == "whole" and counts:
        return replace(parameter, kind="worth")
    whats = parameter.name == "unit" and parameter.kind == "text"
    return replace(parameter, kind="what") if whats else parameter


def _parameter(name: str, field: FieldInfo) -> Parameter:
    said: Mapping[str, Any] = field.json_schema_extra or {}  # type: ignore[assignment]  # ours
    title = Text(said["title_en"], said["title_zh"]) if "title_en" in said else _known(name)
    unit = str(said.get("unit") or _usual_unit(name))
    values: dict[str, Any] = {
        "name": name, "title": title, "unit": unit, "required": field.is_required(),
        "gist": Text(field.description or "", str(said.get("zh", ""))),
        "usual": None if field.is_required() else field.get_default(call_default_factory=True),
        **_limits(field.metadata),
    }  # fmt: skip
    return Parameter(**{**values, **_kind(name, field.annotation, unit, values)})


def _known(name: str) -> Text:
    plain = name.removesuffix("_minor").replace("_", " ").capitalize()
    return KNOWN.get(name, Text(plain, plain))


def _usual_unit(name: str) -> str:
    if name.endswith("_minor"):
        return CENT
    return {"sku": "sku", "minutes": "minute", "zone": "zone"}.get(name, "")


def _limits(metadata: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for limit in metadata:
        if isinstance(limit, Ge):
            found["least"] = limit.ge
        elif isinstance(limit, Gt):
            found["least"] = limit.gt + 1  # type: ignore[operator]  # of whole numbers
        elif isinstance(limit, Le):
            found["most"] = limit.le
        elif isinstance(limit, Lt):
            found["most"] = limit.lt - 1  # type: ignore[operator]  # of whole numbers
        elif isinstance(limit, MaxLen):
            found["length"] = limit.max_length
    return found


def _kind(name: str, wanted: Any, unit: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What kind of input a type needs, and what it is made of."""
    inner, optional = _without_none(wanted)
    if isinstance(inner, type) and issubclass(inner, Frozen):
        return _nested(inner, required=not optional)
    if get_origin(inner) in (tuple, list, frozenset, set):
        return _many(name, inner, unit, values)
    if get_origin(inner) is Literal:
        return {"kind": "choice", "choices": tuple(str(choice) for choice in get_args(inner))}
    return {"kind": _plain(inner, unit, name)}


def _without_none(wanted: Any) -> tuple[Any, bool]:
    if get_origin(wanted) is Annotated:
        return _without_none(get_args(wanted)[0])
    if get_origin(wanted) not in (Union, UnionType):
        return wanted, False
    kinds = [kind for kind in get_args(wanted) if kind is not type(None)]
    if len(kinds) != 1:
        raise UnknownFieldError(str(wanted))
    return kinds[0], True


def _nested(inner: type[Frozen], *, required: bool) -> dict[str, Any]:
    if is_reward(inner):
        return {"kind": "reward", "required": required}
    return {"kind": "rows", "parts": describe(inner), "fewest_rows": int(required),
            "most_rows": 1, "single": True}  # fmt: skip


def is_reward(wanted: type[Frozen]) -> bool:
    """Something of a unit: points, money, a coupon or a gift."""
    return set(wanted.model_fields) == {"unit", "amount"}


def _many(name: str, wanted: Any, unit: str, values: Mapping[str, Any]) -> dict[str, Any]:
    inner, _ = _without_none(get_args(wanted)[0])
    if inner is str and unit in ("sku", "skus"):
        return {"kind": "skus"}
    rows = {"fewest_rows": int(values["required"]),
            "most_rows": min(values.get("length", MOST_ROWS), MOST_ROWS)}  # fmt: skip
    if isinstance(inner, type) and issubclass(inner, Frozen):
        if is_reward(inner):
            part = Parameter("", "reward", KNOWN["reward"], Text("", ""), required=True)
            return {"kind": "list", "parts": (part,), **rows}
        return {"kind": "rows", "parts": describe(inner), **rows}
    part = Parameter("", _plain(inner, unit, name), values["title"], Text("", ""), unit=unit,
                     required=True)  # fmt: skip
    return {"kind": "list", "parts": (part,), **rows}


def _plain(wanted: Any, unit: str, name: str) -> str:
    if wanted is bool:
        return "yes"
    if wanted is int:
        return {CENT: "money", "minute": "span"}.get(unit, "whole")
    if wanted is str:
        return {"sku": "sku", "zone": "zone"}.get("zone" if name == "zone" else unit, "text")
    if wanted in (datetime, AwareDatetime):
        return "moment"
    if wanted is date:
        return "day"
    raise UnknownFieldError(f"{name}: {wanted}")
