"""What many mechanics share: the step for an act, what came with it, value set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from qunluo.campaigns.mechanics.kernel import (
    BUDGET,
    NO_BUDGET,
    OPEN,
    RESERVED,
    Act,
    Decide,
    Done,
    Draw,
    Frozen,
    Grant,
    Move,
    Refused,
    Supply,
)
from qunluo.kit.text import Text

CLOSE = "close"  # the operator ends a play before its time
HEARD = timedelta(minutes=1)  # by then we have heard of what was paid in time


def no(code: str, en: str, zh: str) -> Refused:
    """A refusal in both languages."""
    return Refused(code, Text(en, zh))


NOT_BEGUN = no(
    "not_begun", "There is nothing here yet: begin one.", "这里还没有开始，先发起一个吧。"
)
BEGUN = no("begun", "This has begun already.", "已经开始了，不用重复发起。")
UNKNOWN = no("unknown", "That can't be done here.", "这里不能这样操作。")
NOBODY = no("nobody", "Sign in first, then try again.", "请先登录，再试一次。")
OVER = no(
    "over", "This has ended. You can begin one of your own.", "已经结束了，可以自己发起一个。"
)
NOT_YOURS = no("not_yours", "Only who began this can do that.", "只有发起人可以这样操作。")
STALE = no(
    "stale", "This order counts no more; paid money goes back.", "订单已失效，已付款项会退回。"
)

Step = Callable[[Any, Act, Any, Draw], Done[Any] | Refused]
Values = Mapping[str, int]  # unit → amount


class Reward(Frozen):
    """What a member gets: `points`, `cent` (money), `coupon:<template>`, `gift:<name>`."""

    unit: str = Field(min_length=1, max_length=60)
    amount: int = Field(ge=1, le=10**9)


def decide_by(
    begin: Callable[[Act, Any], Done[Any] | Refused],
    *,
    members: Mapping[str, Step],
    others: Mapping[str, Step],
) -> Decide:
    """A `decide` that begins a play by `OPEN` and takes the step of each other act; those of
    `members` are somebody's own and need one who acts."""

    def decide(state: Any, act: Act, rules: Any, draw: Draw) -> Done[Any] | Refused:
        if act.member is None and act.kind in (OPEN, *members):
            return NOBODY
        if state is None:
            return begin(act, rules) if act.kind == OPEN else NOT_BEGUN
        if act.kind == OPEN:
            return BEGUN
        step = members.get(act.kind) or others.get(act.kind)
        return step(state, act, rules, draw) if step else UNKNOWN

    return decide


def who(act: Act) -> int:
    """The member who acts, where `decide_by` saw to it that there is one."""
    if act.member is None:
        raise ValueError(f"{act.kind} is nobody's act")
    return act.member


def whole(act: Act, name: str, *, default: int, most: int) -> int | None:
    """A whole number from 1 to `most` that came with an act; None if it is none."""
    given = act.data.get(name, default)
    fits = isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= most
    return given if fits else None


def ref_of(act: Act) -> str:
    """Which order an act is about."""
    return str(act.data.get("ref", ""))


def day_of(at: datetime, zone: str) -> date:
    """The local date of an instant."""
    return at.astimezone(ZoneInfo(zone)).date()


def known_zone(name: str) -> str:
    """The name itself, if it is that of a time zone; raises `ValueError`."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{name} is no time zone, write it like Asia/Shanghai") from error
    return name


# value


def worth(rewards: Iterable[Reward | None], times: int = 1) -> Counter[str]:
    """What rewards amount to together, unit by unit."""
    result: Counter[str] = Counter()
    for reward in rewards:
        if reward is not None:
            result[reward.unit] += reward.amount * times
    return result


def grant_of(
    reward: Reward, rule: str, member: int, cause: str, *, at: datetime, days: int = 0
) -> Grant:
    """A grant that vests after some days, or now."""
    when: Literal["at", "now"] = "at" if days else "now"
    return Grant(rule, member, cause, reward.unit, reward.amount,
                 vests=when, vests_at=at + timedelta(days=days))  # fmt: skip


def given_by(grants: Iterable[Grant]) -> Counter[str]:
    """What grants take from what is set aside."""
    result: Counter[str] = Counter()
    for grant in grants:
        result[grant.unit] += grant.amount
    return result


def set_aside(before: Values, after: Values, given: Values | None = None) -> tuple[Move, ...]:
    """The moves of a play that has `before` reserved, gives `given` of it away, and then shall
    have `after`: from the campaign's budget, or back to it."""
    change = Counter(after)
    change.update(given or {})
    change.subtract(before)
    return tuple(_budget(unit, amount) for unit, amount in sorted(change.items()) if amount)


def _budget(unit: str, amount: int) -> Move:
    way = (BUDGET, RESERVED) if amount > 0 else (RESERVED, BUDGET)
    return Move(unit, *way, abs(amount), refused=NO_BUDGET)


def budget(values: Values, plays: int) -> tuple[Supply, ...]:
    """What must be funded for so many plays."""
    return tuple(Supply(BUDGET, unit, n * plays) for unit, n in sorted(values.items()) if n > 0)
