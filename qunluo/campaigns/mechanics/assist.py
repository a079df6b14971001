"""帮 assist: friends help with one tap each, and so many helps reach a tier of rewards.

    (none) ──open──▶ open ──its time──▶ over
                     │ ▲                 │ ▲
                     help · void · restore   void · restore

    a help:  given ──void (with evidence)──▶ void ──restore (on appeal)──▶ given
    a tier:  reached ⇒ granted; a void below it takes the grant back; reached again ⇒ granted anew

What must hold: one help per (task, helper), also of one who left and came back; none by the
owner; so many a day by one helper, by the campaign's own days; the count is that of the valid
helps and of nothing else; at any time at most one grant of a tier stands, and it stands if and
only if its helps are there. While a task runs, the most it can still cost is set aside for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from qunluo.campaigns.mechanics.kernel import (
    EXPIRE,
    Act,
    Claim,
    Done,
    Draw,
    Finding,
    Frozen,
    Grant,
    Mechanic,
    Notice,
    Refused,
    Revoke,
)
from qunluo.campaigns.mechanics.parameters import parameter
from qunluo.campaigns.mechanics.steps import (
    CLOSE,
    OVER,
    STALE,
    Reward,
    budget,
    day_of,
    decide_by,
    given_by,
    grant_of,
    known_zone,
    no,
    set_aside,
    who,
    worth,
)
from qunluo.kit.text import Text

HELP, VOID, RESTORE = "help", "void", "restore"

# fmt: off
OWN = no("own", "You can't help yourself: share the task with friends.",
         "不能给自己助力，快分享给好友吧。")
HELPED = no("helped", "You have helped here already. Begin a task of your own.",
            "你已经助力过了，可以自己发起一个。")
ENOUGH_TODAY = no("enough_today", "You have helped enough today: come again tomorrow.",
                  "你今天的助力次数已用完，明天再来吧。")
NEW_ONLY = no("new_only", "Only new members can help here. You can begin a task of your own.",
              "仅限新成员助力，你可以自己发起一个。")
COMPLETE = no("complete", "This task has all the help it needs.", "该任务已全部完成，无需再助力。")
ENOUGH = no("enough", "You have begun as many tasks as you may.", "你的发起次数已用完。")
NO_WHY = no("no_why", "Say what the evidence is.", "请写明依据。")
NO_HELP = no("no_help", "There is no such help.", "没有这条助力。")
REACHED = Text("Your friends have helped you to a reward.", "好友助力达标，奖励已到手！")
MISSED = Text("The time of your task is over.", "你的助力任务已结束。")
NOT_VALID = Text("A help did not count on review.", "有助力经核查无效。")
# fmt: on


class Tier(Frozen):
    """So many helps bring so much."""

    helps: int = Field(ge=1, le=1000)
    reward: Reward


class Rules(Frozen):
    """What the operator sets."""

    # fmt: off
    tiers: tuple[Tier, ...] = parameter(
        Text("Tiers", "奖励阶梯"),
        Text("What the owner gets for how many helps; all that are reached.",
             "多少人助力得什么奖励，达到的每一级都给。"),
        "tiers", min_length=1, max_length=10)
    minutes: int = parameter(
        Text("Duration", "任务时长"), Text("How long friends can help.", "好友可以助力的时间。"),
        "minute", default=48 * 60, ge=5, le=60 * 24 * 60)
    helpers: Literal["anyone", "newcomers"] = parameter(
        Text("Who may help", "谁可助力"),
        Text("Everybody, or new members only.", "所有人，或仅限新成员。"), default="anyone")
    helps_a_day: int = parameter(
        Text("Helps a day", "每日助力次数"),
        Text("How often one member may help in a day.", "每人每天最多助力几次。"),
        default=3, ge=1, le=100)
    helper_reward: Reward | None = parameter(
        Text("Helper's reward", "助力者奖励"),
        Text("What who helps gets.", "助力者获得的奖励。"), "reward", default=None)
    hold_days: int = parameter(
        Text("Days until rewards are paid", "奖励冻结天数"),
        Text("Time to look at suspicious helps.", "留出核查可疑助力的时间。"),
        "day", default=0, ge=0, le=90)
    tasks_each: int = parameter(
        Text("Tasks per member", "每人发起次数"),
        Text("How many tasks one member may begin.", "每位成员可发起几次。"), default=1, ge=1, le=100)
    tasks: int = parameter(
        Text("Tasks", "任务数"),
        Text("For how many tasks rewards are set aside.", "为多少个任务预留奖励预算。"),
        ge=1, le=10**6)
    zone: Annotated[str, AfterValidator(known_zone)] = parameter(
        Text("Time zone", "时区"), Text("Whose days are counted.", "按哪个时区的日期计算。"),
        "zone", default="Asia/Shanghai")
    # fmt: on

    @property
    def top(self) -> int:
        """After so many helps there is nothing more to reach."""
        return max(tier.helps for tier in self.tiers)


class Help(Frozen):
    """A help; `void` is the evidence against it, `times` how often it was made valid."""

    member: int
    at: datetime
    void: str = ""
    times: int = 1


class Earned(Frozen):
    """A tier that was reached, `times` often; whether its grant stands."""

    helps: int
    times: int = 1
    stands: bool = True


class Task(Frozen):
    owner: int
    ends_at: datetime
    stage: Literal["open", "over"] = "open"
    helps: tuple[Help, ...] = ()
    earned: tuple[Earned, ...] = ()

    @property
    def count(self) -> int:
        return sum(not help_.void for help_ in self.helps)


def _worst(rules: Rules) -> Counter[str]:
    return worth(tier.reward for tier in rules.tiers) + worth([rules.helper_reward], rules.top)


def _standing(task: Task, rules: Rules) -> Counter[str]:
    """What the grants that stand are worth."""
    stand = {earned.helps for earned in task.earned if earned.stands}
    tiers = worth(tier.reward for tier in rules.tiers if tier.helps in stand)
    return tiers + worth([rules.helper_reward], task.count)


def _reserved(task: Task, rules: Rules) -> Counter[str]:
    """The most that an open task can still cost."""
    return _worst(rules) - _standing(task, rules) if task.stage == "open" else Counter()


def _done(before: Task, after: Task, act: Act, rules: Rules, **more: Any) -> Done[Task]:
    """Grants and takes back tiers by the count of `after`."""
    grants, revokes = list(more.pop("grants", ())), list(more.pop("revokes", ()))
    after = _with_tiers(after, act, rules, grants, revokes)
    told = Notice(after.owner, REACHED)
    reached = any(grant.member == after.owner for grant in grants)
    return Done(
        after, grants=tuple(grants), revokes=tuple(revokes),
        moves=set_aside(_reserved(before, rules), _reserved(after, rules), given_by(grants)),
        notices=(*more.pop("notices", ()), *((told,) if reached else ())),
        deadline=after.ends_at if after.stage == "open" else None,
        answer={"helps": after.count, "reached": [e.helps for e in after.earned if e.stands]},
        **more,
    )  # fmt: skip


def _with_tiers(task: Task, act: Act, rules: Rules, grants: list[Grant],
                revokes: list[Revoke]) -> Task:  # fmt: skip
    earned = {e.helps: e for e in task.earned}
    for tier in rules.tiers:
        had = earned.get(tier.helps)
        stands, due = had is not None and had.stands, task.count >= tier.helps
        if stands == due:
            continue
        times = (had.times if had else 0) + (1 if due else 0)
        earned[tier.helps] = Earned(helps=tier.helps, times=times, stands=due)
        grant = _grant(f"tier:{tier.helps}", task.owner, times, tier.reward, act, rules)
        if due:
            grants.append(grant)
        else:
            revokes.append(Revoke(grant.id, NOT_VALID))
    return task.model_copy(update={"earned": tuple(earned.values())})


def _grant(rule: str, member: int, times: int, reward: Reward, act: Act, rules: Rules
           ) -> Grant:  # fmt: skip
    cause = f"{act.play}:{times}"
    return grant_of(reward, rule, member, cause, at=act.at, days=rules.hold_days)


# helping


def _begin(act: Act, rules: Rules) -> Done[Task]:
    task = Task(owner=who(act), ends_at=act.at + timedelta(minutes=rules.minutes))
    return Done(
        task,
        claims=(Claim(f"own:{task.owner}", rules.tasks_each, ENOUGH),),
        moves=set_aside({}, _reserved(task, rules)),
        deadline=task.ends_at,
    )


def _help(task: Task, act: Act, rules: Rules, draw: Draw) -> Done[Task] | Refused:
    if (why := _no_help(task, act, rules)) is not None:
        return why
    given = Help(member=who(act), at=act.at)
    after = task.model_copy(update={"helps": (*task.helps, given)})
    slot = f"help:{act.member}:{day_of(act.at, rules.zone)}"
    return _done(
        task, after, act, rules, grants=_thanks(given, act, rules),
        claims=(Claim(slot, rules.helps_a_day, ENOUGH_TODAY),),
    )  # fmt: skip


def _no_help(task: Task, act: Act, rules: Rules) -> Refused | None:
    if task.stage == "over" or act.at >= task.ends_at:
        return OVER
    if act.member == task.owner:
        return OWN
    if any(help_.member == act.member for help_ in task.helps):
        return HELPED
    if rules.helpers == "newcomers" and act.data.get("newcomer") is not True:
        return NEW_ONLY
    return COMPLETE if task.count >= rules.top else None


def _thanks(help_: Help, act: Act, rules: Rules) -> tuple[Grant, ...]:
    if rules.helper_reward is None:
        return ()
    return (_grant("helper", help_.member, help_.times, rules.helper_reward, act, rules),)


# review


def _void(task: Task, act: Act, rules: Rules, draw: Draw) -> Done[Task] | Refused:
    """A help does not count, for a reason that is kept; what it brought is taken back."""
    found, why = _find(task, act), str(act.data.get("why", "")).strip()
    if found is None or found.void:
        return NO_HELP
    if not why:
        return NO_WHY
    thanks = _thanks(found, act, rules)
    after = _put(task, found.model_copy(update={"void": why[:500]}))
    return _done(task, after, act, rules,
                 revokes=tuple(Revoke(grant.id, NOT_VALID) for grant in thanks))  # fmt: skip


def _restore(task: Task, act: Act, rules: Rules, draw: Draw) -> Done[Task] | Refused:
    """An appeal was right: the help counts again, and everybody gets again what it brought."""
    found = _find(task, act)
    if found is None or not found.void:
        return NO_HELP
    again = found.model_copy(update={"void": "", "times": found.times + 1})
    return _done(task, _put(task, again), act, rules, grants=_thanks(again, act, rules))


def _find(task: Task, act: Act) -> Help | None:
    return next((h for h in task.helps if h.member == act.data.get("helper")), None)


def _put(task: Task, help_: Help) -> Task:
    helps = tuple(help_ if h.member == help_.member else h for h in task.helps)
    return task.model_copy(update={"helps": helps})


# ending


def _expire(task: Task, act: Act, rules: Rules, draw: Draw) -> Done[Task] | Refused:
    return STALE if act.at < task.ends_at else _close(task, act, rules, draw)


def _close(task: Task, act: Act, rules: Rules, draw: Draw) -> Done[Task] | Refused:
    if task.stage == "over":
        return OVER
    after = task.model_copy(update={"stage": "over"})
    lost = task.count < rules.top
    return _done(task, after, act, rules,
                 notices=(Notice(task.owner, MISSED),) if lost else ())  # fmt: skip


# telling


def _broken(task: Task, rules: Rules) -> list[str]:
    members = [help_.member for help_ in task.helps]
    stand = {earned.helps for earned in task.earned if earned.stands}
    due = {tier.helps for tier in rules.tiers if tier.helps <= task.count}
    wrong = {
        "one helper counts twice": len(set(members)) < len(members),
        "the owner helped": task.owner in members,
        "tiers that stand are not those that are reached": stand != due,
        "a tier is kept twice": len({e.helps for e in task.earned}) < len(task.earned),
    }
    return [name for name, is_so in wrong.items() if is_so]


def _lint(rules: Rules) -> list[Finding]:
    found = []
    helps = [tier.helps for tier in rules.tiers]
    # fmt: off
    if helps != sorted(set(helps)):
        found.append(Finding("error", "tiers", Text(
            "Each tier must need more helps than the one before.", "各级所需人数须逐级递增。"), "tiers"))
    if rules.top > 30 or (rules.helpers == "newcomers" and rules.top > 10):
        found.append(Finding("warning", "unreachable_tier", Text(
            "Few members find so many helpers: the highest tier will hardly be reached.",
            "很少有人能邀到这么多人助力，最高一级几乎达不到。"), "tiers"))
    if rules.helper_reward is not None:
        found.append(Finding("warning", "paid_helps", Text(
            "WeChat forbids paying for assists behind outside links.",
            "微信禁止以奖励诱导用户通过外部链接助力。"), "helper_reward"))
    # fmt: on
    return found


def _shown(task: Task, rules: Rules, member: int | None) -> Mapping[str, Any]:
    helped = any(help_.member == member for help_ in task.helps)
    more = [tier.helps - task.count for tier in rules.tiers if tier.helps > task.count]
    return {
        "stage": task.stage, "owner": task.owner, "mine": member == task.owner,
        "helps": task.count, "top": rules.top, "missing": min(more, default=0),
        "tiers": [{"helps": tier.helps, "unit": tier.reward.unit, "amount": tier.reward.amount,
                   "reached": tier.helps <= task.count} for tier in rules.tiers],
        "ends_at": task.ends_at.isoformat(), "i_helped": helped,
        "may_help": task.stage == "open" and not helped and member != task.owner
        and task.count < rules.top,
    }  # fmt: skip


# fmt: off
MECHANIC = Mechanic(
    name="assist",
    label=Text("Assist", "助力"),
    gist=Text("Friends help with one tap each; enough of them bring rewards.",
              "邀请好友助力，人数达标即得奖励。"),
    use=Text("To bring people in quickly, with a reward that many want.", "用大家想要的奖励快速拉新。"),
    avoid=Text("Where nobody looks at who helps, and on platforms that forbid it.",
               "无人核查助力真实性，或平台禁止的场景。"),
    rules=Rules, state=Task,
    decide=decide_by(
        _begin, members={HELP: _help},
        others={EXPIRE: _expire, CLOSE: _close, VOID: _void, RESTORE: _restore}),
    play_of=lambda act, rules: "",
    supplies=lambda rules: budget(_worst(rules), rules.tasks),
    broken=_broken, lint=_lint, shown=_shown,
    staff=frozenset({CLOSE, VOID, RESTORE}), facts=frozenset({"newcomer"}),
)
