"""What goes over days: check-ins with their calendar, and contests with their ranks."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from qunluo.campaigns.mechanics.check_in import CHECK_IN, MAKE_UP
from qunluo.campaigns.mechanics.contest import BOARD, MOVE
from qunluo.campaigns.mechanics.kernel import OPEN
from qunluo.campaigns.mechanics.steps import day_of
from qunluo.campaigns.models import Play
from qunluo.h5.pages import lang
from qunluo.h5.scenes.scene import (
    Button,
    Choice,
    Look,
    Person,
    Scene,
    Step,
    count_of,
    is_over,
    moment,
    say,
    span,
)
from qunluo.kit.text import Text
from qunluo.members.models import Member

Told = dict[str, object]
ONE = timedelta(days=1)
TOP = 20
WEEK = {"en": ("M", "T", "W", "T", "F", "S", "S"), "zh": tuple("一二三四五六日")}


def days(n: int) -> Any:
    return count_of(n, "day", "days", "天")


# check-in


def draw_check_in(look: Look) -> Scene:
    s, r = look.shown, look.rules
    today = day_of(look.now, s.get("zone", r.zone))
    runs = [(date.fromisoformat(a), date.fromisoformat(b)) for a, b in s.get("runs", ())]
    in_ = {day for first, last in runs for day in _days(first, last)}
    streak = s.get("streak", 0) if runs and runs[-1][1] >= today - ONE else 0
    lead = say("You have checked in today. Come again tomorrow.", "今天已打卡，明天再来。") \
        if today in in_ else say("Check in today.", "今天还没打卡。")  # fmt: skip
    if s.get("closed"):
        lead = say("Your programme is over.", "你的打卡周期已结束。")
    cycle = (streak - 1) % r.cycle_days + 1 if streak else 0
    return Scene(
        lead, say("{n} in a row", "连续 {n}", n=days(streak)), done=cycle, of=r.cycle_days,
        progress=say("{n} of a cycle of {of}; {total} in all", "本周期第 {n} 天（共 {of} 天），累计 {total}",
                     n=cycle, of=r.cycle_days, total=days(s.get("total", 0))),
        buttons=_check_in_buttons(look, today, in_), steps=_bonuses(look, cycle, s.get("total", 0)),
        extra="h5/calendar.html", more={
            "names": WEEK[lang()], "month": f"{today:%Y-%m}",
            "days": list(_month(look, today, in_)),
        },
    )  # fmt: skip


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE


def _month(look: Look, today: date, in_: set[date]) -> Iterator[tuple[str, str, str]]:
    """The month's days in weeks that begin on Monday: number, style, and words for who listens."""
    made = {date.fromisoformat(day) for day in look.shown.get("made_up", ())}
    for _ in range(today.replace(day=1).weekday()):
        yield "", "none", ""
    for number in range(1, monthrange(today.year, today.month)[1] + 1):
        day = today.replace(day=number)
        style = "made" if day in made else "in" if day in in_ else ""
        words = {"made": say("made up", "已补卡"), "in": say("checked in", "已打卡")}.get(
            style, ""
        )
        yield str(number), f"{style} today".strip() if day == today else style, words


def _check_in_buttons(look: Look, today: date, in_: set[date]) -> list[Button]:
    if not look.runs or look.shown.get("closed"):
        return []
    found = [] if today in in_ else [Button(CHECK_IN, say("Check in", "打卡"))]
    used = sum(day.startswith(f"{today:%Y-%m}") for day in look.shown.get("used", ()))
    missed = _missed(look, today, in_)
    if missed and used < look.rules.cards:
        choice = Choice(
            "date", say("Which day", "补哪一天"), [(str(d), str(d)) for d in missed]
        )
        words = say(
            "Make a day up ({n} cards left)", "补卡（剩 {n} 次）", n=look.rules.cards - used
        )
        found.append(Button(MAKE_UP, words, main=False, choices=[choice]))
    return found


def _missed(look: Look, today: date, in_: set[date]) -> list[date]:
    if not look.shown.get("first"):
        return []
    first = max(date.fromisoformat(look.shown["first"]), today - look.rules.back_days * ONE)
    return [day for day in _days(first, today - ONE) if day not in in_][::-1]


def _bonuses(look: Look, cycle: int, total: int) -> list[Step]:
    r = look.rules
    row = [Step(say("{n} in a row: {what}", "连续 {n}：{what}", n=days(b.days),
                    what=look.reward(b.reward)), b.days <= cycle) for b in r.cycle]  # fmt: skip
    all_ = [Step(say("{n} in all: {what}", "累计 {n}：{what}", n=days(b.days),
                     what=look.reward(b.reward)), b.days <= total) for b in r.totals]  # fmt: skip
    return row + all_


def check_in_terms(look: Look) -> list[str]:
    r = look.rules
    found = [
        say("Every day brings {what}.", "每天打卡得 {what}。", what=look.reward(r.reward)),
        say("Days are those of {zone}; your programme lasts {n}.", "按 {zone} 的日期计算，周期共 {n}。",
            zone=look.shown.get("zone", r.zone), n=days(r.days)),
    ]  # fmt: skip
    if r.cards:
        found.append(say("{n} missed days of a month can be made up, from up to {m} ago; they count in the "
                         "row, without the day's own reward.",
                         "每月可补卡 {n} 次，最多补 {m} 前；补卡计入连续天数，不发当日奖励。", n=r.cards,
                         m=days(r.back_days)))  # fmt: skip
    return found


def check_in_answer(look: Look, kind: str, told: Told) -> str:
    gained = told.get("gained")
    got = (
        [look.worth(unit, n) for unit, n in gained.items()] if isinstance(gained, dict) else []
    )
    what = " + ".join(got)
    if kind == MAKE_UP and not what:
        return say("That day counts now.", "补卡成功。")
    if kind == MAKE_UP:
        return say("That day counts now: {what}.", "补卡成功，获得 {what}。", what=what)
    return say("Checked in: {what}. {n} in a row.", "打卡成功，获得 {what}，连续 {n}。",
               what=what, n=days(int(str(told.get("streak", 1)))))  # fmt: skip


# contest


def draw_contest(look: Look) -> Scene:
    s, r = look.shown, look.rules
    begins, ends = moment(s["starts_at"]), moment(s["ends_at"])
    lead = say("It is over: see the ranks.", "比赛已结束，请看榜单。") if is_over(ends, look.now) else \
        say("Score as much as you can: {what}.", "比一比：{what}。", what=r.metric)  # fmt: skip
    began = is_over(begins, look.now)
    facts = [(say("Your team", "你的队伍"), s["team"])] if s.get("team") else []
    return Scene(
        lead, str(s["score"]) if "score" in s else "", until=ends if began else begins,
        until_words=say("It ends", "结束时间") if began else say("It begins", "开始时间"),
        buttons=_contest_buttons(look, began or is_over(ends, look.now)), facts=facts,
        people=_ranks(look), people_title=say("Ranks", "榜单"),
        steps=[Step(say("Rank {a}: {what}", "第 {a} 名：{what}", what=look.reward(b),
                        a=b.first if b.first == b.last else f"{b.first}–{b.last}"))
               for b in r.bands],
    )  # fmt: skip


def _contest_buttons(look: Look, began: bool) -> list[Button]:
    r = look.rules
    if not look.runs or (r.teams and began) or (look.play is not None and not r.teams):
        return []
    team = Choice("team", say("Team", "队伍"), [(name, name) for name in r.teams])
    if look.play is not None:
        return [Button(MOVE, say("Change the team", "更换队伍"), main=False, choices=[team])]
    return [Button(OPEN, say("Take part", "报名参加"), choices=[team] if r.teams else [])]


def _ranks(look: Look) -> list[Person]:
    """The snapshot once there is one; until then the best scores as they are."""
    board = Play.objects.filter(campaign=look.campaign, key=BOARD).first()
    rows = board.state.get("rows", []) if board else []
    if rows:
        names = _names([m for row in rows[:TOP] for m in row["members"][:1]])
        return [
            Person(f"{row['rank']}. {_called(row, names)}", str(row["score"]))
            for row in rows[:TOP]
        ]
    if look.rules.teams:
        return []
    found = Play.objects.filter(campaign=look.campaign, state__score__gt=0).exclude(key=BOARD)
    best = list(
        found.order_by("-state__score", "pk").values_list("starter__name", "state__score")[:TOP]
    )
    return [Person(name or say("Somebody", "有人"), str(score)) for name, score in best]


def _called(row: dict[str, Any], names: dict[int, str]) -> str:
    only = row["members"][0] if len(row["members"]) == 1 else 0
    return names.get(only) or str(row["id"])


def _names(members: list[int]) -> dict[int, str]:
    return dict(Member.objects.filter(pk__in=members).values_list("pk", "name"))


COUNTED = {
    "orders": Text("Paid orders count, from when you take part; what goes back before the end "
                   "does not.", "报名后的付款订单计分，结束前退款的不计。"),
    "spend": Text("Money paid for orders counts, from when you take part; what goes back before "
                  "the end does not.", "报名后的付款金额计分，结束前退回的不计。"),
    "invites": Text("Friends who come by you count, as long as they stay.",
                    "邀请到的好友计分，好友离开则不计。"),
    "check_ins": Text("Every day on which you check in counts.", "每打卡一天计一分。"),
    "helps": Text("Every help that you give counts.", "每次有效助力计一分。"),
}  # fmt: skip


def contest_terms(look: Look) -> list[str]:
    r = look.rules
    found = [
        COUNTED[r.counts](lang()),
        say("Equal scores: who reached it first is ahead.", "同分时先达到者靠前。") if r.tie == "earliest"
        else say("Equal scores share ranks and prizes.", "同分并列，平分奖品。"),
        say("From {n} on one is ranked.", "达到 {n} 分参与排名。", n=r.min_score),
    ]  # fmt: skip
    if r.daily_cap:
        found.append(say("At most {n} count a day.", "每天最多计 {n} 分。", n=r.daily_cap))
    if r.review_minutes:
        found.append(say("Prizes are given {span} after the end.", "结束 {span} 后发奖。",
                         span=span(r.review_minutes)))  # fmt: skip
    return found


def contest_answer(look: Look, kind: str, told: Told) -> str:
    return say("You take part.", "已报名参加。")
