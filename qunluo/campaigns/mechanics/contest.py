"""比 contest: who scores most, alone or as a team, in a time that is the same for all.

    an entry:   (none) ──open──► in ──score, correct…──► in   (teams: chosen before the start)
    the board:  (none) ──open──► running ──end──► frozen ──review over──► settled
                                    └──closed──► closed   │
                                                 disqualify / reinstate (ranks are made again)

The board begins with the first entry. At the end it takes a snapshot of all scores; ranks and
prizes follow from that alone. Either there is a total order (score, who reached it first, id),
or ranks are declared to be shared: who shares ranks shares the prizes of these ranks.

What must hold: nobody scores outside the time, nor more than the daily cap; nobody changes team
after the start; ranks made again from the snapshot are those stored; prizes are given once, and
are together no more than was set aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from qunluo.campaigns.mechanics.contest_ranks import Band, Row, prizes, rank, total_prizes
from qunluo.campaigns.mechanics.kernel import (
    EXPIRE,
    OPEN,
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
    Supply,
    Then,
)
from qunluo.campaigns.mechanics.parameters import Name, error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import (
    BEGUN,
    CLOSE,
    NOBODY,
    NOT_BEGUN,
    NOT_YOURS,
    budget,
    day_of,
    known_zone,
    no,
    set_aside,
)
from qunluo.kit.text import Text

SCORE, CORRECT, MOVE = "score", "correct", "move"
DISQUALIFY, REINSTATE = "disqualify", "reinstate"
BOARD = "board"  # the key of the one play that ranks
LONG = timedelta(days=100)
TOP = 20  # rows that a page shows
MOST = 10**9  # points of one event


class Rules(Frozen):
    # fmt: off
    metric: str = parameter(
        Text("What counts", "比什么"), Text("As members read it: “cups of tea”.", "会员看到的指标名称。"),
        min_length=1, max_length=40)
    counts: Literal["orders", "spend", "invites", "check_ins", "helps"] = parameter(
        Text("Counted by", "计分方式"),
        Text("Paid orders; whole units of money paid; friends who came; days checked in; helps.",
             "付款订单数、付款金额（元）、邀请到的好友、打卡天数或助力次数。"), default="orders")
    starts_at: AwareDatetime = parameter(
        Text("Start", "开始时间"), Text("Scores count from then on.", "从此刻起计分。"), "time")
    ends_at: AwareDatetime = parameter(
        Text("End", "结束时间"), Text("Scores count until then.", "到此刻止计分。"), "time")
    daily_cap: int = parameter(
        Text("Cap per day", "每日上限"),
        Text("Of a member's score; 0: none.", "每人每天最多计多少分；0 为不限。"), "",
        default=0, ge=0, le=10**9)
    tie: Literal["earliest", "shared"] = parameter(
        Text("Equal scores", "同分规则"),
        Text("Who reached it first is ahead; or ranks and prizes are shared.",
             "先达到者靠前；或并列名次、平分奖品。"), default="earliest")
    min_score: int = parameter(
        Text("Least score", "入榜分数"), Text("To be ranked.", "至少多少分才参与排名。"),
        default=1, ge=1, le=10**9)
    bands: tuple[Band, ...] = parameter(
        Text("Prizes", "奖项"), Text("By rank.", "按名次设奖。"), min_length=1, max_length=20)
    teams: tuple[Name, ...] = parameter(
        Text("Teams", "队伍"), Text("None: everybody for themselves.", "不填则为个人赛。"),
        default=(), max_length=50)
    team_size: int = parameter(
        Text("Team size", "队伍人数"), Text("At most.", "每队最多人数。"), "member",
        default=50, ge=1, le=500)
    review_minutes: int = parameter(
        Text("Review", "复核时间"),
        Text("Between the end and the prizes, to look at odd scores.", "结束到发奖之间，用于核查异常成绩。"),
        "minute", default=24 * 60, ge=0, le=30 * 24 * 60)
    zone: Annotated[str, AfterValidator(known_zone)] = parameter(
        Text("Time zone", "时区"), Text("When a day begins.", "每日上限按此时区的日期计算。"), "zone",
        default="Asia/Shanghai")
    # fmt: on


class State(Frozen):
    """An entry (`member` and scores by day), or the board (`rows`, best first)."""

    kind: Literal["entry", "board"]
    member: int = 0
    team: str = ""
    days: dict[str, int] = Field(default_factory=dict)
    raw: dict[str, int] = Field(default_factory=dict)  # the same without the cap
    counted: dict[str, tuple[str, int]] = Field(default_factory=dict)  # what may be corrected
    score: int = 0
    reached_at: datetime | None = None
    stage: Literal["running", "frozen", "settled", "closed"] = "running"
    rows: tuple[Row, ...] = ()
    out: tuple[str, ...] = ()  # who is disqualified


# fmt: off
TOO_EARLY = no("too_early", "It has not begun: come back at the start.", "还没开始，到点再来。")
TOO_LATE = no("too_late", "It is over: see the board.", "比赛已结束，去看看榜单吧。")
NO_TEAM = no("no_team", "Choose one of the teams before the start.", "请在开始前选择一支队伍。")
TEAM_FULL = no("sold_out", "This team is full: choose another.", "这支队伍已满，换一支吧。")
TEAMS_FROZEN = no("frozen", "Teams stay as they are from the start on.", "比赛开始后不能再加入或更换队伍。")
WRONG_SCORE = no("wrong_score", "A score is a whole number above 0.", "得分应为正整数。")
NOT_NOW = no("not_now", "Only between the end and the prizes.", "只能在结束后、发奖前操作。")
# fmt: on


def decide(state: State | None, act: Act, rules: Rules, draw: Draw) -> Done[State] | Refused:
    if act.play == BOARD:
        return _on_board(state, act, rules)
    if act.member is None:
        return NOBODY
    if state is None:
        return _enter(act, rules)
    if act.member != state.member:
        return NOT_YOURS
    steps = {SCORE: _score, CORRECT: _correct, MOVE: _move}
    return steps[act.kind](state, act, rules) if act.kind in steps else BEGUN


def _enter(act: Act, rules: Rules) -> Done[State] | Refused:
    """By choosing a team, or where there are none by the first score."""
    if act.at >= rules.ends_at:
        return TOO_LATE
    if act.kind not in (OPEN, SCORE):
        return NOT_BEGUN
    state = State(kind="entry", member=act.member or 0)
    then = (Then(BOARD, OPEN, BOARD),)
    if rules.teams:
        return _join(state, act, rules, then) if act.kind == OPEN else NO_TEAM
    done = _score(state, act, rules) if act.kind == SCORE else Done(state)
    return (
        done if isinstance(done, Refused) else Done(done.state, then=then, answer=done.answer)
    )


def _join(
    state: State, act: Act, rules: Rules, then: tuple[Then, ...]
) -> Done[State] | Refused:
    team = act.data.get("team")
    if act.at >= rules.starts_at:
        return TEAMS_FROZEN
    if team not in rules.teams or team == state.team:
        return NO_TEAM
    claim = Claim(f"team:{team}", rules.team_size, TEAM_FULL)
    frees = (f"team:{state.team}",) if state.team else ()
    return Done(_with(state, team=team), claims=(claim,), frees=frees, then=then)


def _move(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    return _join(state, act, rules, ()) if rules.teams else NO_TEAM


def _score(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    points = act.data.get("points")
    if act.at < rules.starts_at:
        return TOO_EARLY
    if act.at >= rules.ends_at:
        return TOO_LATE
    if not isinstance(points, int) or not 1 <= points <= MOST:
        return WRONG_SCORE
    day, ref = day_of(act.at, rules.zone).isoformat(), str(act.data.get("ref", ""))
    counted = {**state.counted, ref: (day, points)} if ref else state.counted
    after = _add(_with(state, counted=counted), day, points, rules)
    gained = after.score - state.score
    reached = act.at if gained > 0 else state.reached_at
    return Done(_with(after, reached_at=reached),
                answer={"counted": gained, "score": after.score})  # fmt: skip


def _correct(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """What was counted is worth less by now: an order went back, a friend left. What was never
    counted changes nothing, nor does anything after the end."""
    ref, points = str(act.data.get("ref", "")), act.data.get("points")
    if act.at >= rules.ends_at:
        return TOO_LATE
    if ref not in state.counted or not isinstance(points, int) or points < 0:
        return WRONG_SCORE
    day, was = state.counted[ref]
    now = min(was, points)
    after = _with(state, counted={**state.counted, ref: (day, now)})
    return Done(_add(after, day, now - was, rules))


def _add(state: State, day: str, points: int, rules: Rules) -> State:
    """Points of a day, of which no more count than its cap."""
    had = state.days.get(day, 0)
    raw = state.raw.get(day, had) + points
    has = min(raw, rules.daily_cap) if rules.daily_cap else raw
    return _with(state, days={**state.days, day: has}, raw={**state.raw, day: raw},
                 score=state.score + has - had)  # fmt: skip


# the board


def _on_board(state: State | None, act: Act, rules: Rules) -> Done[State] | Refused:
    if act.member is not None:
        return NOT_YOURS
    if state is None:
        return _begin(rules) if act.kind == OPEN else NOT_BEGUN
    steps = {EXPIRE: _clock, DISQUALIFY: _judge, REINSTATE: _judge, CLOSE: _close}
    return steps[act.kind](state, act, rules) if act.kind in steps else BEGUN


def _begin(rules: Rules) -> Done[State]:
    return Done(State(kind="board"), moves=set_aside({}, total_prizes(rules.bands, _most(rules))),
                deadline=rules.ends_at)  # fmt: skip


def _clock(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    settles_at = rules.ends_at + timedelta(minutes=rules.review_minutes)
    if state.stage == "running" and act.at >= rules.ends_at:
        return Done(_ranked(state, act, rules), deadline=settles_at)
    if state.stage == "frozen" and act.at >= settles_at:
        return _settle(state, act, rules)
    due = {"running": rules.ends_at, "frozen": settles_at}.get(state.stage)
    return Done(state, deadline=due)


def _judge(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """Takes somebody's scores off the board, or puts them back exactly as they were."""
    if state.stage != "frozen":
        return NOT_NOW
    name = str(act.data.get("id", ""))
    out = {*state.out} - {name} if act.kind == REINSTATE else {*state.out, name}
    after = _ranked(_with(state, out=tuple(sorted(out))), act, rules)
    return Done(after, deadline=rules.ends_at + timedelta(minutes=rules.review_minutes))


def _ranked(state: State, act: Act, rules: Rules) -> State:
    entries = [s for s in act.plays.values() if s.kind == "entry"]
    return _with(state, stage="frozen", rows=standing(entries, rules, state.out))


def standing(
    entries: Iterable[State], rules: Rules, out: Sequence[str] = ()
) -> tuple[Row, ...]:
    """The ranks as entries are now; a page may ask at any time."""
    mine = [s for s in entries if str(s.member) not in out]
    rows = _teams(mine, rules) if rules.teams else [_alone(s) for s in mine]
    counted = (row for row in rows if row.score >= rules.min_score and row.id not in out)
    return rank(counted, shared=rules.tie == "shared")


def _alone(entry: State) -> Row:
    return Row(id=str(entry.member), order=entry.member, score=entry.score,
               reached_at=entry.reached_at, members=(entry.member,))  # fmt: skip


def _teams(entries: Iterable[State], rules: Rules) -> list[Row]:
    """A team reached its score when the last of its members did."""
    of_team: dict[str, list[State]] = {team: [] for team in rules.teams}
    for entry in entries:
        of_team.setdefault(entry.team, []).append(entry)
    return [
        Row(id=team, order=n, score=sum(s.score for s in found),
            reached_at=max((s.reached_at for s in found if s.reached_at), default=None),
            members=tuple(sorted(s.member for s in found)))
        for n, (team, found) in enumerate(of_team.items())
    ]  # fmt: skip


def _settle(state: State, act: Act, rules: Rules) -> Done[State]:
    won = prizes(state.rows, rules.bands)
    grants = tuple(
        Grant("prize", member, f"{unit}:{row.rank}", unit, amount)
        for row, unit, amount in won for member in row.members
    )  # fmt: skip
    given: Counter[str] = Counter()
    for grant in grants:
        given[grant.unit] += grant.amount
    before = total_prizes(rules.bands, _most(rules))
    said = Text("The contest is settled: you have won a prize.", "比赛已揭晓，恭喜获奖！")
    winners = sorted({grant.member for grant in grants})
    return Done(
        _with(state, stage="settled"),
        moves=set_aside({unit: n - given[unit] for unit, n in before.items()}, {}),
        grants=grants, notices=tuple(Notice(member, said) for member in winners),
    )  # fmt: skip


def _close(state: State, act: Act, rules: Rules) -> Done[State] | Refused:
    """No prizes are given, and what was set aside goes back."""
    if state.stage not in ("running", "frozen"):
        return NOT_NOW
    back = set_aside(total_prizes(rules.bands, _most(rules)), {})
    return Done(_with(state, stage="closed"), moves=back)


def _most(rules: Rules) -> int:
    """How many get the prize of one place."""
    return rules.team_size if rules.teams else 1


def _with(state: State, **changes: Any) -> State:
    return state.model_copy(update=changes)


def broken(state: State, rules: Rules) -> list[str]:
    if state.kind == "board":
        again = rank(state.rows, shared=rules.tie == "shared")
        return [] if again == state.rows else ["ranks made again are not those stored"]
    result = []
    if state.score != sum(state.days.values()):
        result.append("a score that its days do not add up to")
    if rules.daily_cap and any(day > rules.daily_cap for day in state.days.values()):
        result.append("more in a day than the cap")
    if any(state.days[day] > raw for day, raw in state.raw.items()):
        result.append("more counted than happened")
    return result


def lint(rules: Rules) -> list[Finding]:
    ranks = sorted((band.first, band.last) for band in rules.bands)
    overlap = any(a[1] >= b[0] for a, b in pairwise(ranks))
    whole = [b for b in rules.bands if b.unit not in ("points", "cent")]
    # fmt: off
    return findings(
        (rules.starts_at >= rules.ends_at,
         error("ends_at", "no_time", "The end is not after the start.", "结束时间应晚于开始时间。")),
        (any(first > last for first, last in ranks) or overlap,
         error("bands", "wrong_bands",
               "A rank has two prizes, or a band ends before it begins.",
               "名次区间重叠或颠倒。")),
        (rules.tie == "shared" and whole,
         error("tie", "indivisible",
               "Prizes that can't be divided can't be shared: let the first be ahead.",
               "实物或券无法平分，请改为先达到者靠前。")),
        (rules.teams and len(set(rules.teams)) < max(2, len(rules.teams)),
         error("teams", "one_team", "A contest of teams needs two, by different names.",
               "团队赛至少需要两支不同名的队伍。")),
        (not rules.daily_cap,
         warning("daily_cap", "no_cap",
                 "Without a daily cap one busy account wins everything.",
                 "不设每日上限，刷分者会包揽奖项。")),
        (not rules.review_minutes,
         warning("review_minutes", "no_review",
                 "Prizes go out at once: nobody can look at odd scores before.",
                 "没有复核时间，异常成绩来不及核查。")),
        (rules.ends_at - rules.starts_at > LONG,
         warning("ends_at", "long", "Few members stay in a contest for months.",
                 "比赛超过三个月，很少有人坚持到底。")),
    )
    # fmt: on


def shown(state: State | None, rules: Rules, member: int | None) -> Mapping[str, Any]:
    result: dict[str, Any] = {
        "metric": rules.metric, "starts_at": rules.starts_at.isoformat(),
        "ends_at": rules.ends_at.isoformat(), "teams": list(rules.teams),
        "daily_cap": rules.daily_cap,
    }  # fmt: skip
    if state is None:
        return result
    if state.kind == "entry":
        return result | {
            "mine": state.member == member,
            "score": state.score,
            "team": state.team,
        }
    mine = next((row for row in state.rows if member in row.members), None)
    return result | {
        "stage": state.stage, "my_rank": mine.rank if mine else None,
        "rows": [row.model_dump(mode="json", include={"id", "score", "rank"})
                 for row in state.rows[:TOP]],
    }  # fmt: skip


def play_of(act: Act, rules: Rules) -> str:
    return BOARD if act.member is None else f"m{act.member}"


def supplies(rules: Rules) -> Sequence[Supply]:
    return budget(total_prizes(rules.bands, _most(rules)), 1)


MECHANIC = Mechanic(
    name="contest",
    label=Text("Contest", "比赛 / PK"),
    gist=Text(
        "Members or teams score for some days; the best ranks win prizes.",
        "个人或团队在限期内比拼，按名次领奖。",
    ),
    use=Text(
        "To keep an active group at something for days: reading, sports, sales of a team.",
        "适合让活跃的群持续投入：读书、运动、团队业绩。",
    ),
    avoid=Text(
        "In a group where two people do everything: the others watch.",
        "少数人独大的群不宜使用，其他人只会旁观。",
    ),
    rules=Rules,
    state=State,
    decide=decide,
    play_of=play_of,
    supplies=supplies,
    broken=broken,
    lint=lint,
    shown=shown,
    gathers=frozenset({EXPIRE, DISQUALIFY, REINSTATE}),
    follows=frozenset({SCORE, CORRECT}),
    staff=frozenset({DISQUALIFY, REINSTATE, CLOSE}),
    facts=frozenset({"points", "ref"}),
)
