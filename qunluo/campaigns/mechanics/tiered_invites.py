"""阶梯邀请 tiered invites: whoever brings so many people who stay gets the rewards of all tiers.

    (none) ──open──▶ open ──its time──▶ waiting ──the last gate──▶ closed
                    invited · left        left          void · restore at any time

    an invite:  waiting ──still there after d days──▶ counted ──void──▶ void ──restore──▶ counted
                   └──left before──▶ lost

What must hold: an invitee counts for one inviter, once for life, whoever else's link they open
and however often they leave and join again; they must be new; only who is still there after
`days` counts; crossing two tiers at once grants both; each tier once; a void invite takes back
what it brought and what has not vested, and nothing that has. What a play can still cost at the
most is set aside for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field

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
    Revoke,
)
from qunluo.campaigns.mechanics.parameters import error, findings, parameter, warning
from qunluo.campaigns.mechanics.steps import (
    CLOSE,
    OVER,
    STALE,
    Reward,
    budget,
    decide_by,
    given_by,
    grant_of,
    no,
    set_aside,
    who,
    worth,
)
from qunluo.kit.text import Text

INVITED, LEFT, VOID, RESTORE = "invited", "left", "void", "restore"
MOST = 2000  # invites that one play keeps

# fmt: off
SELF = no("self", "You can't invite yourself.", "不能邀请自己。")
ATTRIBUTED = no("attributed", "This member has been invited already: the first invite counts.",
                "该成员已被邀请过，以首次邀请为准。")
NOT_NEW = no("not_new", "Only people who are new here count as invited.", "仅新成员计入邀请。")
NO_INVITE = no("no_invite", "There is no such invite.", "没有这条邀请。")
NO_WHY = no("no_why", "Say what the evidence is.", "请写明依据。")
FULL = no("full", "You have invited as many as one campaign can count.", "邀请人数已达上限。")
REACHED = Text("So many of your invitees stayed that you get a reward.", "邀请达标，奖励已到手！")
NOT_VALID = Text("An invite did not count on review.", "有邀请经核查无效。")
# fmt: on


class Tier(Frozen):
    """So many invitees who stayed bring so much."""

    invites: int = Field(ge=1, le=1000)
    reward: Reward


class Rules(Frozen):
    """What the operator sets."""

    # fmt: off
    tiers: tuple[Tier, ...] = parameter(
        Text("Tiers", "奖励阶梯"),
        Text("What how many invitees bring; all tiers that are reached, each more than the last.",
             "邀请多少人得什么奖励，达到的每一级都给，逐级递增。"),
        "tiers", min_length=1, max_length=10)
    each: Reward | None = parameter(
        Text("For each invitee", "每邀一人奖励"),
        Text("What each invitee brings, up to the last tier.", "每成功邀请一人的奖励，至最高一级为止。"),
        "reward", default=None)
    days: int = parameter(
        Text("Days to stay", "留存天数"),
        Text("An invitee counts who is still there after so many days.",
             "被邀请人满多少天仍在群才计入。"),
        "day", default=3, ge=0, le=90)
    hold_days: int = parameter(
        Text("Days until rewards are paid", "奖励冻结天数"),
        Text("Until then an invite that is found void takes them back.",
             "期间核查出无效邀请则收回奖励。"),
        "day", default=7, ge=0, le=90)
    minutes: int = parameter(
        Text("Duration", "邀请时长"),
        Text("How long a member's invites count.", "每位成员的邀请有效时间。"),
        "minute", default=14 * 24 * 60, ge=5, le=366 * 24 * 60)
    inviters: int = parameter(
        Text("Inviters", "邀请人数上限"),
        Text("For how many inviters rewards are set aside.", "为多少位邀请人预留奖励预算。"),
        "member", ge=1, le=10**6)
    # fmt: on

    @property
    def top(self) -> int:
        """Each invitee up to this many is rewarded."""
        return max(tier.invites for tier in self.tiers)


class Invite(Frozen):
    """Somebody who was brought; `times` is how often they were counted."""

    member: int
    counts_at: datetime
    state: Literal["waiting", "counted", "lost", "void"] = "waiting"
    times: int = 0
    left: bool = False  # while void, before the gate
    why: str = ""


class Earned(Frozen):
    """What was granted for `what` (a tier's number, or `each:<member>`), and when it vests."""

    what: str
    vests_at: datetime
    times: int = 1
    stands: bool = True


class Inviting(Frozen):
    inviter: int
    ends_at: datetime
    invites: tuple[Invite, ...] = ()
    earned: tuple[Earned, ...] = ()
    closed: bool = False  # whether what was set aside has gone back

    @property
    def count(self) -> int:
        return sum(invite.state == "counted" for invite in self.invites)

    def but(self, **change: Any) -> Inviting:
        return self.model_copy(update=change)


def _worst(rules: Rules) -> Counter[str]:
    return worth(tier.reward for tier in rules.tiers) + worth([rules.each], rules.top)


def _reward(what: str, rules: Rules) -> Reward:
    if what.startswith("each:") and rules.each is not None:
        return rules.each
    return next(t.reward for t in rules.tiers if what == f"tier:{t.invites}")


def _reserved(state: Inviting, rules: Rules) -> Counter[str]:
    stands = worth(_reward(e.what, rules) for e in state.earned if e.stands)
    return Counter() if state.closed else _worst(rules) - stands


# what is due


def _due(state: Inviting, rules: Rules) -> list[str]:
    """What the invites that count bring: every tier that is reached, and each up to the last."""
    due = [f"tier:{t.invites}" for t in rules.tiers if t.invites <= state.count]
    counted = [i.member for i in state.invites if rules.each and i.state == "counted"]
    had = {e.what for e in state.earned if e.stands}
    counted.sort(key=lambda member: f"each:{member}" not in had)  # they keep theirs first
    return [*due, *(f"each:{member}" for member in counted[: rules.top])]


def _ripe(state: Inviting, at: datetime) -> Inviting:
    """Everybody counts who is still there at their gate, whoever acts first after it."""
    return state.but(invites=tuple(
        i.model_copy(update={"state": "counted", "times": i.times + 1})
        if i.state == "waiting" and i.counts_at <= at else i
        for i in state.invites
    ))  # fmt: skip


def _done(before: Inviting, after: Inviting, act: Act, rules: Rules, **more: Any
          ) -> Done[Inviting]:  # fmt: skip
    """Grants what is due, takes back what is not due and has not vested."""
    earned, grants, revokes = _settle(after, act, rules)
    deadline = _deadline(after, act.at)
    after = after.but(earned=earned, closed=after.closed or deadline is None)
    told = (Notice(after.inviter, REACHED),) if grants else ()
    return Done(
        after, grants=grants, revokes=revokes, deadline=deadline,
        moves=set_aside(_reserved(before, rules), _reserved(after, rules), given_by(grants)),
        notices=told, answer={"invites": after.count}, **more,
    )  # fmt: skip


def _settle(
    state: Inviting, act: Act, rules: Rules
) -> tuple[tuple[Earned, ...], tuple[Grant, ...], tuple[Revoke, ...]]:
    earned, due = {e.what: e for e in state.earned}, _due(state, rules)
    revokes = []
    for what, had in earned.items():
        if had.stands and what not in due and act.at < had.vests_at:
            earned[what] = had.model_copy(update={"stands": False})
            revokes.append(Revoke(_grant(what, had, state, act, rules).id, NOT_VALID))
    grants = []
    for what in _payable(due, earned, rules):
        times = earned[what].times + 1 if what in earned else 1
        vests_at = act.at + timedelta(days=rules.hold_days)
        earned[what] = Earned(what=what, vests_at=vests_at, times=times)
        grants.append(_grant(what, earned[what], state, act, rules))
    return tuple(earned.values()), tuple(grants), tuple(revokes)


def _payable(due: list[str], earned: Mapping[str, Earned], rules: Rules) -> list[str]:
    """What is due and not there; also what stays of void invites counts up to the last tier."""
    stands = {what for what, e in earned.items() if e.stands}
    new = [what for what in due if what not in stands]
    tiers = [what for what in new if what.startswith("tier:")]
    left = rules.top - sum(what.startswith("each:") for what in stands)
    each = [what for what in new if what.startswith("each:")]
    return [*tiers, *each[: max(0, left)]]


def _grant(what: str, earned: Earned, state: Inviting, act: Act, rules: Rules) -> Grant:
    cause, reward = f"{act.play}:{earned.times}", _reward(what, rules)
    return grant_of(reward, what, state.inviter, cause, at=act.at, days=rules.hold_days)


def _deadline(state: Inviting, at: datetime) -> datetime | None:
    """The next gate or the end; after the end and the last gate nothing is due any more."""
    gates = [i.counts_at for i in state.invites if i.state == "waiting"]
    return min([*gates, *([state.ends_at] if at < state.ends_at else [])], default=None)


# inviting


def _begin(act: Act, rules: Rules) -> Done[Inviting]:
    state = Inviting(inviter=who(act), ends_at=act.at + timedelta(minutes=rules.minutes))
    return Done(state, moves=set_aside({}, _reserved(state, rules)), deadline=state.ends_at)


def _invited(state: Inviting, act: Act, rules: Rules, draw: Draw) -> Done[Inviting] | Refused:
    """The member who acts has joined by the inviter's link."""
    if act.at >= state.ends_at or state.closed:
        return OVER
    if act.member == state.inviter:
        return SELF
    if act.data.get("newcomer") is not True:
        return NOT_NEW
    if len(state.invites) >= MOST:
        return FULL
    counts_at = act.at + timedelta(days=rules.days)
    invite = Invite(member=who(act), counts_at=counts_at)
    after = _ripe(state.but(invites=(*state.invites, invite)), act.at)
    claim = Claim(f"invited:{act.member}", 1, ATTRIBUTED)
    return _done(state, after, act, rules, claims=(claim,))


def _left(state: Inviting, act: Act, rules: Rules, draw: Draw) -> Done[Inviting] | Refused:
    """An invitee has left: who had not stayed long enough will never count."""
    ripe = _ripe(state, act.at)
    found = _find(ripe, act.member)
    if found is None or found.counts_at <= act.at or found.state not in ("waiting", "void"):
        return NO_INVITE if ripe == state else _done(state, ripe, act, rules)
    change = {"state": "lost"} if found.state == "waiting" else {"left": True}
    return _done(state, _put(ripe, found, **change), act, rules)


def _expire(state: Inviting, act: Act, rules: Rules, draw: Draw) -> Done[Inviting] | Refused:
    ripe = _ripe(state, act.at)
    nothing = ripe == state and (state.closed or act.at < state.ends_at)
    return STALE if nothing else _done(state, ripe, act, rules)


def _close(state: Inviting, act: Act, rules: Rules, draw: Draw) -> Done[Inviting] | Refused:
    """Nobody can be invited any more; who was still passes the gate."""
    if act.at >= state.ends_at or state.closed:
        return OVER
    return _done(state, _ripe(state.but(ends_at=act.at), act.at), act, rules)


# review


def _void(state: Inviting, act: Act, rules: Rules, draw: Draw) -> Done[Inviting] | Refused:
    why = str(act.data.get("why", "")).strip()
    ripe = _ripe(state, act.at)
    found = _find(ripe, act.data.get("invitee"))
    if found is None or found.state not in ("waiting", "counted"):
        return NO_INVITE
    if not why:
        return NO_WHY
    return _done(state, _put(ripe, found, state="void", why=why[:500]), act, rules)


def _restore(state: Inviting, act: Act, rules: Rules, draw: Draw) -> Done[Inviting] | Refused:
    """An appeal was right: the invite stands as if nothing had been said."""
    ripe = _ripe(state, act.at)
    found = _find(ripe, act.data.get("invitee"))
    if found is None or found.state != "void":
        return NO_INVITE
    again = _put(ripe, found, state="lost" if found.left else "waiting", why="")
    return _done(state, _ripe(again, act.at), act, rules)


def _find(state: Inviting, member: Any) -> Invite | None:
    return next((i for i in state.invites if i.member == member), None)


def _put(play: Inviting, found: Invite, **change: Any) -> Inviting:
    new = found.model_copy(update=change)
    return play.but(invites=tuple(new if i.member == found.member else i for i in play.invites))


# telling


def _broken(state: Inviting, rules: Rules) -> list[str]:
    members = [invite.member for invite in state.invites]
    stands = [e.what for e in state.earned if e.stands]
    each = sum(what.startswith("each:") for what in stands)
    reached = {f"tier:{t.invites}" for t in rules.tiers if t.invites <= state.count}
    wrong = {
        "one invitee counts twice": len(set(members)) < len(members),
        "the inviter counts": state.inviter in members,
        "something stands twice": len(set(stands)) < len(stands),
        "a tier is reached and not granted": not reached <= set(stands),
        "more invitees are rewarded than are counted": each > rules.top,
    }
    return [name for name, is_so in wrong.items() if is_so]


def _lint(rules: Rules) -> list[Finding]:
    invites, rewards = [t.invites for t in rules.tiers], [t.reward for t in rules.tiers]
    # fmt: off
    return findings(
        (invites != sorted(set(invites)),
         error("tiers", "tiers", "Each tier must need more invitees than the one before.",
               "各级所需人数须逐级递增。")),
        (any(one.unit == two.unit and one.amount >= two.amount for one, two in pairwise(rewards)),
         warning("tiers", "flat", "Rewards should grow with the count, or few go on after the first.",
                 "奖励应随人数递增，否则达到第一级后就没有动力了。")),
        (not rules.days,
         warning("days", "no_gate", "Whoever joins counts at once, also if they leave the next minute.",
                 "入群即计入，随后退群也算：建议设置留存天数。")),
        (not rules.hold_days,
         warning("hold_days", "no_review",
                 "Rewards are paid at once: what turns out to be false can't be taken back.",
                 "奖励立即发放，事后核查出问题也无法收回。")),
    )
    # fmt: on


def _shown(state: Inviting, rules: Rules, member: int | None) -> Mapping[str, Any]:
    more = [tier.invites - state.count for tier in rules.tiers if tier.invites > state.count]
    states = Counter(invite.state for invite in state.invites)
    return {
        "inviter": state.inviter, "mine": member == state.inviter, "invites": state.count,
        "waiting": states["waiting"], "lost": states["lost"], "void": states["void"],
        "missing": min(more, default=0), "ends_at": state.ends_at.isoformat(),
        "closed": state.closed,
        "tiers": [{"invites": tier.invites, "unit": tier.reward.unit,
                   "amount": tier.reward.amount, "reached": tier.invites <= state.count}
                  for tier in rules.tiers],
    }  # fmt: skip


def _play_of(act: Act, rules: Rules) -> str:
    """Each inviter has one play; who is invited, or leaves, comes with `inviter`."""
    return f"inviter:{act.member if act.kind == OPEN else act.data.get('inviter')}"


# fmt: off
MECHANIC = Mechanic(
    name="tiered_invites",
    label=Text("Tiered invites", "阶梯邀请"),
    gist=Text("Bring people who stay; the more, the better the reward.",
              "邀请好友入群，留下的人越多，奖励越好。"),
    use=Text("Steady growth by members who like to be here.", "让满意的成员持续带来新人。"),
    avoid=Text("Young groups that newcomers will leave again.", "内容还没做好、新人留不住的群。"),
    rules=Rules, state=Inviting,
    decide=decide_by(
        _begin, members={INVITED: _invited, LEFT: _left},
        others={EXPIRE: _expire, CLOSE: _close, VOID: _void, RESTORE: _restore}),
    play_of=_play_of,
    supplies=lambda rules: budget(_worst(rules), rules.inviters),
    broken=_broken, lint=_lint, shown=_shown,
    follows=frozenset({INVITED, LEFT}), staff=frozenset({CLOSE, VOID, RESTORE}),
    facts=frozenset({"newcomer", "inviter"}),
)
