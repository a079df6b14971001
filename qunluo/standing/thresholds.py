"""Where the borders of standing lie: a community's own, else the usual ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from qunluo.kit.errors import QunluoError
from qunluo.kit.text import Text

MOST_CORE = 0.05  # the core is never more than this share


@dataclass(frozen=True)
class Level:
    """A level of intimacy, from so many points on."""

    name: Text
    points: int


LEVELS = (
    Level(Text("new fan", "新粉"), 1),
    Level(Text("true fan", "铁粉"), 60),
    Level(Text("dearest", "至爱粉"), 300),
)


@dataclass(frozen=True)
class Thresholds:
    """Days are local days of the community; shares are of all members who are in a group."""

    new_days: int = 14
    growing_days: int = 14
    mature_days: int = 30
    mature_orders: int = 2
    mature_orders_in_circle: int = 1  # in the core or influence circle
    silent_days: int = 30
    lost_days: int = 90
    welcome_days: int = 1  # after joining: words said then answer the welcome
    informed_items: int = 3
    familiar_exchanges: int = 3
    familiar_days: int = 30
    stay_days: int = 7
    core_share: float = MOST_CORE
    influence_share: float = 0.25
    core_weeks: int = 3  # with activity, of the last four
    grace_days: int = 7  # that a lower circle is due before it comes
    flag_days: int = 90
    content_days: int = 90
    points_said: int = 1
    points_reacted: int = 1
    points_read: int = 1
    points_watched: int = 2
    points_attended: int = 5
    points_checked_in: int = 3
    points_paid: int = 20
    said_a_day: int = 10  # more words on one day bring no more points
    half_product: int = 10  # points at which a core value is 50
    half_bringing: int = 10
    half_content: int = 40
    half_revenue_minor: int = 50_000
    levels: tuple[Level, ...] = LEVELS


USUAL = Thresholds()
_NUMBERS = tuple(f.name for f in fields(Thresholds) if f.name != "levels")


class WrongThresholdError(QunluoError):
    """A border of standing can't lie there."""

    code = "wrong_threshold"
    sentence = Text("“{name}” can't be {value}: {reason}", "“{name}”不能是 {value}：{reason}")


def read_thresholds(stored: Mapping[str, Any]) -> Thresholds:
    """What a community stored over the usual; unknown names are ignored."""
    values = {name: stored[name] for name in _NUMBERS if name in stored}
    levels = stored.get("levels")
    found = replace(USUAL, **values)
    return replace(found, levels=_read_levels(levels)) if levels else found


def _read_levels(rows: list[dict[str, Any]]) -> tuple[Level, ...]:
    read = (Level(Text(row["en"], row["zh"]), row["points"]) for row in rows)
    return tuple(sorted(read, key=lambda level: level.points))


def store_thresholds(chosen: Thresholds) -> dict[str, Any]:
    """Only what differs from the usual."""
    usual, mine = asdict(USUAL), asdict(chosen)
    kept: dict[str, Any] = {n: mine[n] for n in _NUMBERS if mine[n] != usual[n]}
    if chosen.levels != USUAL.levels:
        kept["levels"] = [
            {"en": level.name.en, "zh": level.name.zh, "points": level.points}
            for level in chosen.levels
        ]
    return kept


def check_thresholds(chosen: Thresholds) -> Thresholds:
    """Raises `WrongThresholdError`."""
    for name in _NUMBERS:
        value = getattr(chosen, name)
        if value < (0 if name.startswith("points_") or name == "welcome_days" else 1e-9):
            raise WrongThresholdError(
                name=name, value=value, reason=Text("it must be above 0.", "须大于 0。")
            )
    if chosen.core_share > MOST_CORE:
        _refuse(
            chosen, "core_share", Text("the core is never more than 5 %.", "核心圈不超过 5%。")
        )
    if chosen.lost_days <= chosen.silent_days:
        _refuse(
            chosen,
            "lost_days",
            Text("it must be above the days of silence.", "须大于沉默天数。"),
        )
    if chosen.silent_days < chosen.mature_days:
        _refuse(
            chosen, "silent_days",
            Text("who counts as active can't be silent.", "不能小于成熟期的活跃天数。"),
        )  # fmt: skip
    return chosen


def _refuse(chosen: Thresholds, name: str, reason: Text) -> None:
    raise WrongThresholdError(name=name, value=getattr(chosen, name), reason=reason)
